import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { stringify } from 'yaml';
import { subjectOf } from '../../libs/engine/subject.ts';
import { identityAnnotation, parseIdentity } from '../../libs/engines/etcd/identity.ts';
import { createCluster, specOf } from './cluster.ts';
import { quorate } from './command-line.ts';
import { leads } from './passes.ts';
import { etcdCluster, openStage } from './stage.ts';

// The incident of docs/debugging.md: a member is lost with its disk while the cluster is scaled in. What the page
// shows is what this prints; QUORATE_INCIDENT_OUTPUT names a file to write it to, for the page to be made anew.

const seen = await openStage();
const { stage, watched } = seen;
const dir = await mkdtemp(join(tmpdir(), 'quorate-incident-'));
after(() => rm(dir, { recursive: true }));

const shown: string[] = [];

/** Runs the command, keeps what it printed for the page, and fails unless each pattern is found, in this order. */
async function show(
  args: string[],
  patterns: RegExp[],
  from: typeof stage | undefined = stage,
): Promise<void> {
  const output = await quorate(from, ...args);
  shown.push(`$ quorate ${args.join(' ')}`, output);
  let rest = output;
  for (const pattern of patterns) {
    const found = pattern.exec(rest);
    assert.ok(found, `${pattern} comes next in the output of quorate ${args.join(' ')}:\n${output}`);
    rest = rest.slice(found.index + found[0].length);
  }
}

/** Whether Quorate itself has deleted the pod. */
const hasDeletedPod = (name: string): boolean =>
  watched
    .decisions('shop')
    .some(({ plan, steps }) =>
      steps.some(
        ({ step, outcome }, index) =>
          step === 'deletePod' && outcome === 'done' && subjectOf(plan?.steps[index]?.args) === name,
      ),
    );

/** The members that passes have removed for this reason, in their order; none of them led. */
const removedBy = (reason: string): string[] =>
  watched
    .decisions('shop')
    .filter(({ plan }) => plan?.reason === reason)
    .flatMap(({ plan, steps, facts }) =>
      steps.flatMap(({ step, outcome }, index) => {
        if (step !== 'removeMember' || outcome !== 'done') return [];
        const name = subjectOf(plan?.steps[index]?.args) ?? '';
        assert.ok(!leads(facts, name), `${name} led`);
        return [name];
      }),
    );

test('a member lost with its disk during a scale-in is explained, from the first symptom to the cause', async (t) => {
  const cluster = await createCluster(seen, t, 'shop', { size: 5, claims: true, betweenWritesMs: 100 });
  const members = cluster.pods().map(({ metadata }) => metadata.name);
  // The youngest that does not lead goes in the scale-in; one that would have stayed loses its disk.
  const [lost] = (await cluster.roles()).followers;
  await stage.kubectl('patch', 'etcd', 'shop', '--type', 'merge', '-p', '{"spec":{"size":3}}');
  // At once: a claim that goes alone makes Quorate delete the pod itself.
  const both = [`pvc/${lost}`, `pod/${lost}`];
  const force = ['--force', '--grace-period=0', '--wait=false', '--ignore-not-found'];
  await stage.kubectl('delete', ...both, ...force);
  await cluster.until(`${lost} is gone`, () =>
    cluster.pods().every(({ metadata }) => metadata.name !== lost),
  );
  await cluster.settled(3);
  await cluster.finish();
  // Which one that was is on record: another one may have been elected, or slow to answer, by then.
  const surplus = removedBy('ScaleIn').find((name) => name !== lost) ?? assert.fail('there was no scale-in');
  const names = cluster.pods().map(({ metadata }) => metadata.name);
  assert.ok(names.length === 3 && !names.includes(lost) && !names.includes(surplus), names.join(' '));
  const recorded = parseIdentity(watched.resource('shop')?.metadata.annotations?.[identityAnnotation]);
  const last = recorded.state === 'recorded' ? recorded.identity.lastNumber : 0;
  // Where the scale-in was done before it was seen, the lost one was replaced.
  assert.equal(
    last === 5,
    names.every((name) => members.includes(name)),
  );

  const place = ['-n', stage.namespace];
  await show(
    ['why', `pod/${lost}`, ...place],
    [
      RegExp(`pod/${lost} was deleted`),
      // kubectl deletes one after the other, and may be too slow with the pod.
      hasDeletedPod(lost)
        ? RegExp(`did deletePod: pod ${lost}: etcd does not list it as a member any more`)
        : RegExp(`pod/${lost}.*by no step of Quorate, so by a person or another controller`),
      RegExp(`pod/${lost} was made`),
    ],
  );
  await show(
    ['why', `pvc/${surplus}`, ...place],
    [
      RegExp(`pvc/${surplus} was deleted`),
      RegExp(`did deleteClaim: claim ${surplus}: etcd does not list it as a member any more`),
      /did removeMember: /,
      /(woken by:|since|meanwhile) etcdcluster\/shop changed at .*spec\.size 5 → 3/,
    ],
  );
  const file = join(dir, 'incident.quorate');
  await show(
    ['events', `etcd/${stage.namespace}/shop`, '--since', '1h', '--export', file],
    [/records of etcd/],
  );
  await show(
    ['events', '--from', file],
    [
      /etcdcluster\/shop: spec\.size 5 → 3/,
      RegExp(`✔ removeMember: member (${lost}|${surplus}): `),
      RegExp(`✔ removeMember: member (${lost}|${surplus}): `),
      /pass \S+ Healthy/,
    ],
    undefined,
  );
  await show(['replay', '--from', file], [/equal/], undefined);
  const edit = join(dir, 'shop-of-five.yaml');
  await writeFile(edit, stringify(etcdCluster('shop', specOf({ size: 5, claims: true }))));
  await show(['plan', '-f', edit, ...place], [RegExp(`shop-${last + 1}`), RegExp(`shop-${last + 2}`)]);
  const path = process.env['QUORATE_INCIDENT_OUTPUT'];
  if (path !== undefined) await writeFile(path, shown.join('\n'));
});
