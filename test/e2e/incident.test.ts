import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { stringify } from 'yaml';
import { createCluster, specOf } from './cluster.ts';
import { quorate } from './command-line.ts';
import { etcdCluster, openStage } from './stage.ts';

// The incident of docs/debugging.md: a member is lost with its disk while the cluster is scaled in. What the page
// shows is what this prints; QUORATE_INCIDENT_OUTPUT names a file to write it to, for the page to be made anew.

const seen = await openStage();
const { stage } = seen;
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

test('a member lost with its disk during a scale-in is explained, from the first symptom to the cause', async (t) => {
  const cluster = await createCluster(seen, t, 'shop', { size: 5, claims: true, betweenWritesMs: 100 });
  const { leader, followers } = await cluster.roles();
  // The youngest that does not lead goes in the scale-in; one that would have stayed loses its disk.
  const lost = followers[0];
  const surplus = followers.at(-1) ?? '';
  await stage.kubectl('patch', 'etcd', 'shop', '--type', 'merge', '-p', '{"spec":{"size":3}}');
  // At once: a claim that goes alone makes Quorate delete the pod itself.
  const both = [`pvc/${lost}`, `pod/${lost}`];
  await stage.kubectl('delete', ...both, '--force', '--grace-period=0', '--wait=false');
  await cluster.until(`${lost} is gone`, () =>
    cluster.pods().every(({ metadata }) => metadata.name !== lost),
  );
  await cluster.settled(3);
  await cluster.finish();
  const names = cluster.pods().map(({ metadata }) => metadata.name);
  // Where the scale-in was done before it was seen, the lost one was replaced.
  const rest = [leader, ...followers].filter((name) => name !== lost && name !== surplus);
  assert.ok(names.length === 3 && names.includes(leader), names.join(' '));
  const next = Math.max(...names.map((name) => Number(name.split('-').at(-1))), 5) + 1;
  assert.equal(
    next === 6,
    names.every((name) => rest.includes(name)),
  );

  const place = ['-n', stage.namespace];
  await show(
    ['why', `pod/${lost}`, ...place],
    [
      RegExp(`pod/${lost} was deleted`),
      RegExp(`pod/${lost}.*by no step of Quorate, so by a person or another controller`),
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
  await show(['plan', '-f', edit, ...place], [RegExp(`shop-${next}`), RegExp(`shop-${next + 1}`)]);
  const path = process.env['QUORATE_INCIDENT_OUTPUT'];
  if (path !== undefined) await writeFile(path, shown.join('\n'));
});
