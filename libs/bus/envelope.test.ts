import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { type EventEnvelope, parseEvent, parseRecord } from './envelope.ts';

const event: EventEnvelope = {
  specversion: '1.0',
  id: 'uid/7/modified',
  source: '/kubes/local',
  type: 'io.quorate.kube.modified',
  time: '2026-01-02T03:04:05.678Z',
  datacontenttype: 'application/json',
  data: {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: 'a', labels: { x: 'y' } },
    spec: { any: ['thing'] },
  },
};

test('an event comes through unchanged, with attributes that we do not know', () => {
  const extended = {
    ...event,
    traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01',
    partitionkey: 'x',
  };
  assert.deepEqual(parseEvent(JSON.stringify(extended)), { ok: true, event: extended });
  assert.deepEqual(parseEvent(new TextEncoder().encode(JSON.stringify(event))), { ok: true, event });
});

test('what is wrong with an event is named', () => {
  const wrong: [object, RegExp][] = [
    [{ specversion: '0.3' }, /specversion/],
    [{ id: '' }, /id/],
    [{ type: 'io.quorate.kube.renamed' }, /type/],
    [{ time: 'yesterday' }, /time/],
    [{ data: { apiVersion: 'v1', kind: 'Pod', metadata: {} } }, /data\.metadata\.name/],
  ];
  for (const [change, detail] of wrong) {
    const read = parseEvent(JSON.stringify({ ...event, ...change }));
    assert.ok(!read.ok);
    assert.equal(read.reason, 'not-an-event');
    assert.match(read.detail, detail);
  }
});

test('no bytes whatever make the parsers throw', () => {
  fc.assert(
    fc.property(fc.oneof(fc.uint8Array(), fc.json()), (payload) => {
      assert.equal(parseEvent(payload).ok, false);
      const record = parseRecord(payload);
      assert.ok(record.ok || record.reason === 'not-json');
    }),
  );
  assert.deepEqual(parseRecord('{"a":1}'), { ok: true, value: { a: 1 } });
  assert.equal(parseRecord('[1]').ok, false);
  assert.equal(parseRecord(new Uint8Array([0x22, 0xff, 0x22])).ok, false);
});
