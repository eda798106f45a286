import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Decision, readDecision, type StepRecord } from '../../../libs/engine/decision.ts';
import type { RecordingEntry } from '../../../libs/engine/recording.ts';
import { plain } from '../show/paint.ts';
import { historyOf } from './history.ts';
import { answerLines } from './tree.ts';
import { toldOnce, whyCondition, whyObject } from './why.ts';

const at = (second: number) => `2026-01-01T00:00:${String(second).padStart(2, '0')}.000Z`;

function event(
  second: number,
  type: 'added' | 'modified' | 'deleted',
  name: string,
  rest: object = {},
): RecordingEntry {
  const isCluster = name === 'db';
  const { metadata = {}, ...fields } = rest as { metadata?: object };
  const data = {
    apiVersion: 'v1',
    kind: isCluster ? 'EtcdCluster' : 'Pod',
    metadata: {
      name,
      namespace: 'default',
      uid: `uid-${name}`,
      resourceVersion: String(second),
      ...metadata,
    },
    ...fields,
  };
  const resource = isCluster ? 'etcdclusters' : 'pods';
  return {
    event: {
      subject: `quorate.events.local.etcd.default.db.${resource}.${name}`,
      storedAt: at(second),
      event: {
        ...{ specversion: '1.0', id: `${name}/${second}`, source: 'test', type: `io.quorate.kube.${type}` },
        ...{ time: at(second), datacontenttype: 'application/json', data },
      },
    },
  };
}

function pass(
  second: number,
  part: Partial<Decision> & { message: string; conditions?: object[] },
): RecordingEntry {
  const { message, conditions = [], ...rest } = part;
  const decision = readDecision({
    ...{ format: 2, id: `decision-${second}`, kube: 'local', key: 'etcd/default/db', worker: 'w' },
    ...{
      engine: { name: 'etcd', version: 3 },
      wokenBy: [],
      traceId: '',
      time: at(second),
      spec: {},
      nowMs: 0,
    },
    ...{ facts: { pods: { ok: true, value: [] } }, steps: [], durationMs: { observe: 1, plan: 1, act: 1 } },
    plan: { reason: 'Reason', message, steps: [], status: { conditions } },
    ...rest,
  });
  return { decision };
}

const did = (step: string, name: string, why = `pod ${name}: ${step}`): StepRecord => ({
  ...{ step, why, outcome: 'done', durationMs: 1 },
  object: { kind: 'Pod', name, uid: `uid-${name}` },
});
const scaling = { type: 'Scaling', status: 'True', reason: 'R', message: '' };

const lines = (records: RecordingEntry[], object: string) =>
  answerLines(whyObject(historyOf('db', records), object), plain);

test('a chain goes back over passes that only waited, to what a person asked for', () => {
  const records = [
    event(1, 'added', 'db', { spec: { size: 1 } }),
    pass(2, { message: 'made', wokenBy: ['db/1'], steps: [did('createPod', 'db-1')] }),
    event(10, 'modified', 'db', { spec: { size: 2 } }),
    pass(11, {
      message: 'more are wanted',
      wokenBy: ['db/10'],
      steps: [did('addMember', 'other', 'db-2: added')],
    }),
    pass(12, { message: 'waiting for etcd', conditions: [scaling] }),
    pass(13, { message: 'still waiting', conditions: [scaling] }),
    pass(14, { message: 'db-2 is made', steps: [did('createPod', 'db-2')] }),
    event(15, 'added', 'db-2'),
  ];
  assert.deepEqual(lines(records, 'pod/db-2'), [
    'pod/db-2 was made at 2026-01-01 00:00:15.000  (uid uid-db-2)',
    '└─ pass decision at 2026-01-01 00:00:14.000',
    '   ├─ did createPod: pod db-2: createPod',
    '   ├─ because Reason: db-2 is made',
    '   ├─ it found db-2 not among pods',
    '   └─ after pass decision at 2026-01-01 00:00:11.000, 2 passes later',
    '      ├─ did addMember: db-2: added',
    '      ├─ because Reason: more are wanted',
    '      ├─ it found db-2 not among pods',
    '      └─ woken by: etcdcluster/db changed at 2026-01-01 00:00:10.000: spec.size 1 → 2',
  ]);
});

test('a pod that a step deleted has that pass as its cause, and one that nobody of us deleted has not', () => {
  const deleted = { metadata: { deletionTimestamp: at(5) } };
  const pod = [
    event(1, 'added', 'db-1'),
    event(5, 'modified', 'db-1', deleted),
    event(6, 'deleted', 'db-1', deleted),
  ];
  const ours = lines(
    [...pod, pass(4, { message: 'db-1 is too many', steps: [did('deletePod', 'db-1')] })],
    'pod/db-1',
  );
  assert.equal(ours[0], 'pod/db-1 was deleted at 2026-01-01 00:00:06.000  (uid uid-db-1)');
  assert.equal(ours[2], '   ├─ did deletePod: pod db-1: deletePod');
  const theirs = lines(pod, 'pod/db-1');
  assert.match(
    theirs[1] ?? '',
    /by no step of Quorate, so by a person or another controller; gone at 00:00:06\.000$/,
  );
});

test('that a member ends which a step has removed is no cause of its own', () => {
  const ended = { status: { containerStatuses: [{ name: 'etcd', restartCount: 1 }] } };
  const running = { status: { containerStatuses: [{ name: 'etcd', restartCount: 0 }] } };
  const removed: StepRecord = {
    step: 'removeMember',
    why: 'member db-2: too many',
    outcome: 'done',
    durationMs: 1,
  };
  const pods = [
    event(1, 'added', 'db-2', running),
    event(5, 'modified', 'db-2', ended),
    event(8, 'deleted', 'db-2'),
  ];
  const deletion = pass(7, {
    message: 'db-2 is no member',
    wokenBy: ['db-2/5'],
    steps: [did('deletePod', 'db-2')],
  });
  const asked = [
    pass(3, { message: 'all well' }),
    pass(4, { message: 'db-2 is too many', steps: [removed] }),
  ];
  assert.match(
    lines([...pods, ...asked, deletion], 'pod/db-2').join('\n'),
    /after pass.*\n.*did removeMember/,
  );
  // Without that step it ended for a reason of its own.
  assert.match(
    lines([...pods, deletion], 'pod/db-2').join('\n'),
    /woken by: pod\/db-2 changed .*restartCount 0 → 1/,
  );
});

test('what Kubernetes notes of an eviction is told', () => {
  const conditions = [
    { type: 'DisruptionTarget', status: 'True', reason: 'EvictionByEvictionAPI', message: 'drained' },
  ];
  const deleted = { metadata: { deletionTimestamp: at(5) }, status: { conditions } };
  const told = lines([event(1, 'added', 'db-1'), event(5, 'modified', 'db-1', deleted)], 'pod/db-1');
  assert.match(told.join('\n'), /db-1 is being deleted.*\n.*by Kubernetes: EvictionByEvictionAPI: drained/);
});

test('every incarnation of a name is told, the newest first', () => {
  const other = { metadata: { uid: 'uid-later' } };
  const records = [
    event(1, 'added', 'db-1'),
    event(5, 'deleted', 'db-1'),
    event(8, 'added', 'db-1', other),
    pass(7, {
      message: 'db-1 returns',
      wokenBy: ['db-1/5'],
      steps: [{ ...did('createPod', 'db-1'), object: { kind: 'Pod', name: 'db-1', uid: 'uid-later' } }],
    }),
  ];
  const told = lines(records, 'pod/db-1');
  assert.deepEqual(
    told.filter((line) => /^pod/.test(line)).map((line) => line.replace(/ at .*uid /, ' ')),
    ['pod/db-1 was made uid-later)', 'pod/db-1 was deleted uid-db-1)', 'pod/db-1 was made uid-db-1)'],
  );
  assert.match(
    told.join('\n'),
    /because Reason: db-1 returns[\s\S]*woken by: pod\/db-1 was deleted at 2026-01-01 00:00:05/,
  );
});

test('a chain that has no known root says so', () => {
  const made = [
    pass(14, { message: 'db-2 is made', steps: [did('createPod', 'db-2')] }),
    event(15, 'added', 'db-2'),
  ];
  assert.match(lines(made, 'pod/db-2').at(-1) ?? '', /└─ what was before that is not kept$/);
  const rested = [pass(12, { message: 'all well' }), ...made];
  assert.match(
    lines(rested, 'pod/db-2').at(-1) ?? '',
    /nothing that is recorded: pass decision before it found all well/,
  );
  assert.match(lines([event(1, 'added', 'db-2')], 'pod/db-2').at(-1) ?? '', /by no step that is recorded/);
  assert.deepEqual(lines(made, 'pod/db-9'), []);
});

test('a long history with many ways back is told in a moment, and every pass of it once', () => {
  const records: RecordingEntry[] = [event(0, 'added', 'db', { spec: { size: 9 } })];
  for (let index = 1; index < 29; index++) {
    const [name, before] = [`db-${index}`, `db-${index - 1}`];
    const steps = [
      did('createPod', name),
      { ...did('deletePod', before), why: `pod ${before}: makes room for ${name}` },
    ];
    records.push(event(2 * index - 1, 'added', before), event(2 * index + 1, 'deleted', before));
    records.push(
      pass(2 * index, { message: `${name} for ${before}`, wokenBy: [`${before}/${2 * index - 1}`], steps }),
    );
  }
  records.push(event(58, 'added', 'db-28'));
  const answer = toldOnce(whyObject(historyOf('db', records), 'pod/db-28'));
  const text = JSON.stringify(answer);
  for (let index = 1; index < 29; index++) {
    const whole = text.split(`"decision":"decision-${2 * index}"`).length - 1;
    assert.ok(whole >= 1 && whole <= 3, `${whole} times`);
  }
});

test('a condition is explained by the first of the passes that said so', () => {
  const failing = { type: 'Available', status: 'False', reason: 'NoQuorum', message: 'one is left' };
  const status = (value: string) => ({ status: { conditions: [{ ...failing, status: value }] } });
  const records = [
    event(1, 'added', 'db', status('True')),
    pass(2, { message: 'all well', conditions: [{ ...failing, status: 'True' }] }),
    event(4, 'deleted', 'db-1'),
    pass(5, { message: 'db-1 is gone', wokenBy: ['db-1/4'], conditions: [failing] }),
    pass(6, { message: 'db-1 is still gone', conditions: [failing] }),
    event(7, 'modified', 'db', status('False')),
  ];
  const told = answerLines(whyCondition(historyOf('db', records), 'Available'), plain);
  assert.deepEqual(told.slice(0, 3), [
    'Available became False (NoQuorum: one is left) at 2026-01-01 00:00:07.000',
    '└─ pass decision at 2026-01-01 00:00:05.000',
    '   ├─ because Reason: db-1 is gone',
  ]);
  assert.match(told.at(-1) ?? '', /woken by: pod\/db-1 was deleted at 2026-01-01 00:00:04/);
});
