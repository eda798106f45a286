import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { basename } from 'node:path';
import { test } from 'node:test';
import { gunzipSync } from 'node:zlib';
import { decisionFormat } from '../../libs/engine/decision.ts';
import { holesIn } from '../../libs/engine/holes.ts';
import { decodeRecording } from '../../libs/engine/recording.ts';
import { replay } from '../../libs/engine/replay.ts';
import { etcdPlanner } from '../../libs/engines/etcd/planner.ts';
import { plannerOf } from '../../libs/engines/planners.ts';

/** One of every format and every version of an engine there ever was: `<engine>-<version>-format-<format>.gz`. */
const recordings = globSync(`${import.meta.dirname}/*.gz`).map((path) => {
  const [, engine = '', version, format] = /^(\w+)-(\d+)-format-(\d+)\.gz$/.exec(basename(path)) ?? [];
  return { path, engine, version: Number(version), format: Number(format) };
});

for (const { path, engine, version, format } of recordings) {
  test(`${basename(path)}: every pass replays as it was`, () => {
    const file = readFileSync(path);
    assert.match(gunzipSync(file).toString(), new RegExp(`"decision":\\{"format":${format},`));
    const { decisions } = decodeRecording(file);
    const planner = plannerOf(engine);
    assert.ok(planner);
    assert.ok(decisions.length > 20, 'it tells a whole story');
    assert.deepEqual(holesIn(decisions), []);
    for (const decision of decisions) {
      assert.equal(decision.engine.version, version);
      assert.deepEqual(replay(planner, decision), { outcome: 'equal' }, `decision ${decision.id}`);
    }
    const found = new Set(decisions.map(({ plan }) => plan?.reason));
    for (const reason of ['NotBootstrapped', 'Seeding', 'Healthy', 'InvalidSpec', 'Deleted'])
      assert.ok(found.has(reason), reason);
  });
}

test('there is a recording of the present format and of every version of every engine', () => {
  const versions = recordings.filter(({ engine }) => engine === 'etcd').map(({ version }) => version);
  for (let version = 1; version <= etcdPlanner.version; version++)
    assert.ok(versions.includes(version), `etcd ${version}`);
  assert.ok(
    recordings.some(({ format }) => format === decisionFormat),
    `format ${decisionFormat}`,
  );
});
