import assert from 'node:assert/strict';
import { appendFileSync } from 'node:fs';
import { test } from 'node:test';
import { services } from '../../e2e/bench/operator.ts';
import { specOf } from '../../e2e/cluster.ts';
import { openStage } from '../../e2e/stage.ts';
import { type Case, caseMaker, describeCase } from './cases.ts';
import { readDefinitions } from './definition.ts';
import type { Outcome } from './judge.ts';
import { type Lane, openLane } from './lane.ts';
import { openSender } from './send.ts';

/**
 * Bad input, generated from the schemas of the CustomResourceDefinitions and done to running clusters: each case is
 * refused with the field's name, or done, or told by a condition; no process ends, no member is harmed, and no
 * acknowledged write is lost.
 *
 * FAULTS_CASES: how many cases for each definition; FAULTS_SEED: another seed; FAULTS_CASE: this case alone.
 */
const seed = Number(process.env['FAULTS_SEED'] ?? 1);
const only = process.env['FAULTS_CASE'];
/** Where the counts are to be written, for the report of a whole run. */
const reportPath = process.env['FAULTS_REPORT'];
const count = Number(process.env['FAULTS_CASES'] ?? 200);
const first = only === undefined ? 0 : Number(only);
const numbers = Array.from({ length: only === undefined ? count : 1 }, (_, index) => first + index);
/** More say the same. */
const mostFailures = 20;

const seen = await openStage();
const { stage } = seen;

/** Every eighth case is done to a cluster of three. */
const isOfThree = (number: number) => number % 8 === 0;

for (const definition of readDefinitions()) {
  test(`${definition.kind}: ${numbers.length} bad or odd resources, seed ${seed}`, {
    timeout: 1_800_000,
  }, async (t) => {
    const sender = openSender(stage.kubeconfigPath);
    t.after(() => sender.close());
    const lives = await stage.operator.lives(services);
    const logs = await Promise.all(services.map((service) => stage.operator.logFromNow(service)));
    const make = caseMaker(definition, specOf({ size: 1 }), seed);
    const counts = new Map<string, number>();
    const failures: string[] = [];

    const check = async () => {
      assert.deepEqual(await stage.operator.lives(services), lives, 'no process of Quorate has ended');
      const lines = (await Promise.all(logs.map((read) => read()))).flatMap((log) =>
        [...log.values()].flat(),
      );
      const errors = lines.filter(({ level }) => level === 'error' || level === 'fatal');
      assert.deepEqual(errors.slice(0, 5), [], 'no service has logged an error');
    };
    const noteFailure = async (lane: Lane, given: Case, error: unknown) => {
      const smallest = await smallestOf(lane, given);
      const again = `FAULTS_SEED=${seed} FAULTS_CASE=${given.number} node --test test/faults/input/input.test.ts`;
      const cause = error instanceof Error ? error.message : String(error);
      const failure = `${describeCase(smallest)}\n  ${cause.slice(0, 1500)}\n  again with: ${again}`;
      console.log(failure);
      failures.push(failure);
      await lane.renew();
    };
    const work = async (name: string, size: number, mine: Iterator<number>) => {
      const lane = await openLane(seen, t, sender, definition, { name, size });
      for (let next = mine.next(); !next.done && failures.length < mostFailures; next = mine.next()) {
        const given = make(next.value);
        const before = performance.now();
        try {
          const outcome: Outcome = await lane.run(given);
          const key = `${given.family}: ${outcome}`;
          counts.set(key, (counts.get(key) ?? 0) + 1);
        } catch (error) {
          await noteFailure(lane, given, error);
        }
        const took = performance.now() - before;
        if (took > 5000) t.diagnostic(`slow, ${Math.round(took)} ms: ${describeCase(given)}`);
        if (next.value % 100 === 99) await check();
      }
      await lane.finish();
    };
    const single = numbers.filter((number) => !isOfThree(number)).values();
    const triple = numbers.filter(isOfThree).values();
    const lanes = Math.min(5, Math.ceil(numbers.length / 40));
    // All of them end before the test does: what they stand on goes with it.
    const ended = await Promise.allSettled([
      ...Array.from({ length: lanes }, (_, index) => work(`one-${index + 1}`, 1, single)),
      work('three', 3, triple),
    ]);
    for (const end of ended) if (end.status === 'rejected') failures.push(String(end.reason));
    await check();
    for (const [key, many] of [...counts].sort()) t.diagnostic(`${key}: ${many}`);
    if (reportPath !== undefined) appendFileSync(reportPath, tableOf(definition.kind, counts));
    assert.equal(failures.length, 0, `${failures.length} failures:\n${failures.join('\n')}`);
  });
}

/** How often each kind of edit had each outcome. */
function tableOf(kind: string, counts: Map<string, number>): string {
  const rows = [...counts].sort().map(([key, many]) => `| ${key.replace(': ', ' | ')} | ${many} |`);
  return [`| ${kind} | outcome | cases |`, '|---|---|---|', ...rows, ''].join('\n');
}

/** One edit of the case that fails alone, where there is one. */
async function smallestOf(lane: Lane, given: Case): Promise<Case> {
  if (given.edits.length < 2) return given;
  for (const edit of given.edits) {
    await lane.renew();
    const smaller = { ...given, edits: [edit] };
    try {
      await lane.run(smaller);
    } catch {
      // It fails as well: that is what is looked for.
      return smaller;
    }
  }
  return given;
}
