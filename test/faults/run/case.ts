import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { messageOf } from '../../../libs/errors/catalogue.ts';
import { copyKubeconfig, createKubectl } from '../../e2e/bench/kubectl.ts';
import { machineOperator } from '../../e2e/bench/machine.ts';
import { sandboxNode } from '../../e2e/bench/node.ts';
import { type Stage, stageAt } from '../../e2e/stage.ts';
import { watch } from '../../e2e/watched.ts';
import { beginJournal } from '../hook/journal.ts';
import { actions, checks } from '../words.ts';
import { type Lane, restore } from './lane.ts';
import { createRandom } from './random.ts';
import type { Scene, Struck } from './scene.ts';
import type { Case } from './sweep.ts';

/** What became of a case. */
export interface CaseResult {
  name: string;
  plan: string;
  durationMs: number;
  /** What did not hold, in words. */
  failure?: string;
  struck: Struck[];
  remarks: string[];
  /** How many writes of clients were acknowledged. */
  acknowledged: number;
}

/** What the cases of one plan know of each other: how it goes undisturbed. */
export type Known = Pick<Scene, 'undisturbed' | 'writes'>;

/** Runs one case in a namespace of its own; never throws. What it has broken is mended when it returns. */
export async function runCase(
  { name, plan, steps, holds, isUndisturbed }: Case,
  lane: Lane,
  known: Known,
  seed: number,
): Promise<CaseResult> {
  const startedMs = performance.now();
  const ends: (() => Promise<void>)[] = [];
  const struck: Struck[] = [];
  const remarks: string[] = [];
  const subjects: Scene['subjects'] = new Map();
  const failures: string[] = [];
  /** Returns whether it went well, and keeps what was wrong. */
  const attempt = async (what: string, work: () => Promise<void> | void): Promise<boolean> => {
    try {
      await work();
      return true;
    } catch (error) {
      failures.push(`${what}: ${messageOf(error)}`);
      return false;
    }
  };

  await attempt('the case', async () => {
    const stage = await openStage(lane, ends);
    const watched = watch(stage);
    ends.push(watched.stop);
    const scene: Scene = {
      ...{ lane, stage, watched, subjects, ...known, isUndisturbed, struck },
      random: createRandom(seed, name),
      afterwards: (mend) => ends.push(mend),
      remark: (line) => remarks.push(line),
    };
    beginJournal(lane.hookFolder, undefined);
    const begun = holds.map(({ word, given }) => ({
      word,
      end: vocabularyAt(checks, word).begin(scene, given),
    }));
    for (const [index, { word, given }] of steps.entries()) {
      const isDone = await attempt(`step ${index + 1}, ${word}`, () =>
        vocabularyAt(actions, word).run(scene, given),
      );
      if (!isDone) return;
    }
    await attempt('every acknowledged write is kept, and no number used twice', async () => {
      for (const { cluster, size } of subjects.values()) if (size > 0) await cluster.finish();
    });
    for (const { word, end } of begun) await attempt(word, end);
    await attempt('no process of Quorate has failed', () => assert.deepEqual(lane.failed(), []));
  });
  for (const end of ends.reverse()) await attempt('taking away what was made', end);
  await attempt('mending what was broken', () => restore(lane));
  const acknowledged = [...subjects.values()].reduce(
    (sum, { cluster }) => sum + cluster.writer.acknowledged(),
    0,
  );
  return {
    ...{ name, plan, durationMs: performance.now() - startedMs, struck, remarks, acknowledged },
    ...(failures.length > 0 && { failure: failures.join('\n') }),
  };
}

function vocabularyAt<Word>(vocabulary: Record<string, Word>, word: string): Word {
  const found = vocabulary[word];
  if (found === undefined) throw new Error(`there is no word ${word}`);
  return found;
}

/** A stage in a new namespace of the lane. */
async function openStage(lane: Lane, ends: (() => Promise<void>)[]): Promise<Stage> {
  const { stack, programs, dir } = lane;
  const namespace = `faults-${randomBytes(4).toString('hex')}`;
  const program = programs.kubectl ?? 'kubectl';
  const outside = createKubectl(program, stack.kubeconfigPath);
  await outside.run('create', 'namespace', namespace);
  const path = join(dir, `${namespace}.kubeconfig`);
  ends.push(async () => {
    await outside.run('delete', 'namespace', namespace, '--wait=false');
    await rm(path, { force: true });
  });
  await copyKubeconfig(outside, namespace, path);
  const exampleFile = 'deploy/examples/etcd-cluster.yaml';
  return stageAt(
    {
      kubectl: createKubectl(program, path),
      ...{ namespace, exampleFile, exampleVersion: await readFile(exampleFile, 'utf8') },
      ...{ operator: machineOperator(stack), node: sandboxNode, freezeApi: undefined },
      end: async () => {},
    },
    { kubernetes: { kind: 'sandbox' }, operator: { runs: 'machine' } },
  );
}
