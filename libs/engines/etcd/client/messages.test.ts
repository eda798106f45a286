import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { fromHexId, prefixEnd, toAlarms, toHexId, toMembers, toStatus } from './messages.ts';

test('a member id is printed as etcdctl prints it: hexadecimal, lower case, not padded', () => {
  assert.equal(toHexId('18446744073709551615'), 'ffffffffffffffff');
  assert.equal(toHexId('504740662868784676'), '70132f569fd3624');
  assert.equal(toHexId('0'), '0');
});

test('every id of 64 bits survives the way there and back', () => {
  fc.assert(
    fc.property(fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }), (id) => {
      assert.equal(fromHexId(toHexId(String(id))), String(id));
    }),
  );
});

test('what is no id is refused, not sent as another one', () => {
  for (const text of ['', 'x1', '0x1', 'A1', '-1', '1ffffffffffffffff']) {
    assert.throws(() => fromHexId(text), RangeError, text);
  }
});

test('members are sorted by id, whatever the order of the answer', () => {
  const member = (id: string) => ({ id, name: '', peerUrls: ['b', 'a'], clientUrls: [], isLearner: false });
  const members = toMembers([member('300'), member('2'), member('16')]);
  assert.deepEqual(
    members.map(({ id }) => id),
    ['10', '12c', '2'],
  );
  assert.deepEqual(members[0]?.peerUrls, ['a', 'b']);
});

test('counters of raft keep every digit', () => {
  const status = toStatus({
    header: { clusterId: '255', memberId: '16' },
    version: '3.4.23',
    dbSize: '20480',
    leader: '0',
    raftIndex: '9007199254740993',
    raftTerm: '2',
    raftAppliedIndex: '9007199254740992',
    errors: ['etcdserver: no leader'],
    isLearner: true,
  });
  assert.deepEqual(status, {
    memberId: '10',
    clusterId: 'ff',
    version: '3.4.23',
    leaderId: '0',
    raftTerm: '2',
    raftIndex: '9007199254740993',
    raftAppliedIndex: '9007199254740992',
    dbSizeBytes: 20480,
    isLearner: true,
    errors: ['etcdserver: no leader'],
  });
});

test('only alarms that stand for trouble are alarms', () => {
  const alarms = ['NONE', 'NOSPACE', 'CORRUPT'].map((alarm) => ({ memberId: '16', alarm }));
  assert.deepEqual(toAlarms(alarms), [
    { memberId: '10', alarm: 'NOSPACE' },
    { memberId: '10', alarm: 'CORRUPT' },
  ]);
});

test('the end of a prefix is after every key of that prefix and not after any other', () => {
  const bytes = fc.uint8Array({ minLength: 1, maxLength: 4 }).map((array) => Buffer.from(array));
  fc.assert(
    fc.property(bytes, fc.uint8Array({ maxLength: 3 }), bytes, (prefix, rest, other) => {
      const end = prefixEnd(prefix);
      // For etcd an end of one zero byte means no end.
      const within = (key: Buffer) =>
        Buffer.compare(prefix, key) <= 0 && (end.equals(Buffer.from([0])) || Buffer.compare(key, end) < 0);
      assert.ok(within(Buffer.concat([prefix, rest])));
      assert.equal(within(other), other.subarray(0, prefix.length).equals(prefix));
    }),
  );
});
