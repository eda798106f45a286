import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { parseEvent } from '../../../libs/bus/envelope.ts';
import { readRecording } from '../records/file.ts';
import { redeliveriesOf } from './redeliver.ts';

const { entries } = await readRecording(join(import.meta.dirname, '../story/testing/pod-replaced.quorate'));

test('events come again in their order and pace, as events of ids of their own, marked and for the kube at hand', () => {
  const again = redeliveriesOf(entries, 'other', 'run');
  const happened = entries.flatMap((entry) => ('event' in entry ? [entry.event.event] : []));
  assert.equal(again.length, happened.length);
  assert.deepEqual(
    again.map(({ event }) => event.redeliveryof),
    happened.map(({ id }) => id),
  );
  assert.equal(
    new Set([...again.map(({ event }) => event.id), ...happened.map(({ id }) => id)]).size,
    2 * again.length,
  );
  const totalMs = again.reduce((sum, { afterMs }) => sum + afterMs, 0);
  assert.equal(totalMs, Date.parse(happened.at(-1)?.time ?? '') - Date.parse(happened[0]?.time ?? ''));
  assert.ok(again.every(({ parts }) => parts.kube === 'other' && parts.cluster === 'db'));
  assert.ok(again.every(({ event }) => parseEvent(JSON.stringify(event)).ok));
});

test('twice is not twice as much: what was delivered again is not what happened', () => {
  const [first] = redeliveriesOf(entries, 'local', 'run');
  assert.ok(first);
  const subject = 'quorate.redelivered.local.etcd.default.db.pods.db-1';
  const recorded = { event: { subject, storedAt: first.event.time, event: { ...first.event } } };
  assert.equal(
    redeliveriesOf([...entries, recorded], 'local', 'run').length,
    redeliveriesOf(entries, 'local', 'run').length,
  );
});
