import assert from 'node:assert/strict';
import { test } from 'node:test';
import { status } from '@grpc/grpc-js';
import { toEtcdError } from './errors.ts';

const call = { name: 'MemberPromote', endpoint: '127.0.0.1:2379', connected: true };
const codeOf = (code: number, details: string, connected = true) =>
  toEtcdError({ code, details }, { ...call, connected }).code;

test('a learner that lags and a member that is no learner are told apart, though one message begins the other', () => {
  const notLearner = 'etcdserver: can only promote a learner member';
  const lagging = `${notLearner} which is in sync with leader`;
  assert.equal(codeOf(status.FAILED_PRECONDITION, lagging), 'ETCD_LEARNER_NOT_READY');
  assert.equal(codeOf(status.FAILED_PRECONDITION, notLearner), 'ETCD_REFUSED');
});

test('both refusals for the sake of quorum are one code', () => {
  assert.equal(codeOf(status.UNAVAILABLE, 'etcdserver: unhealthy cluster'), 'ETCD_UNHEALTHY_CLUSTER');
  const notStarted = 'etcdserver: re-configuration failed due to not enough started members';
  assert.equal(codeOf(status.FAILED_PRECONDITION, notStarted), 'ETCD_UNHEALTHY_CLUSTER');
  // Some versions send this one without its gRPC code.
  assert.equal(codeOf(status.UNKNOWN, notStarted), 'ETCD_UNHEALTHY_CLUSTER');
});

test('no answer in time is a timeout with a connection and unreachable without', () => {
  assert.equal(codeOf(status.DEADLINE_EXCEEDED, 'Deadline exceeded after 2s', true), 'ETCD_TIMEOUT');
  assert.equal(codeOf(status.DEADLINE_EXCEEDED, 'Deadline exceeded after 2s', false), 'ETCD_UNREACHABLE');
});

test('UNAVAILABLE is unreachable when the transport says it and a refusal when etcd says it', () => {
  assert.equal(codeOf(status.UNAVAILABLE, 'No connection established', false), 'ETCD_UNREACHABLE');
  assert.equal(codeOf(status.UNAVAILABLE, 'Connection dropped'), 'ETCD_UNREACHABLE');
  assert.equal(codeOf(status.UNAVAILABLE, 'etcdserver: rpc not supported for learner'), 'ETCD_REFUSED');
});

test('an unknown method, as of an older etcd, and unknown messages are refusals', () => {
  assert.equal(codeOf(status.UNIMPLEMENTED, 'unknown method MemberPromote'), 'ETCD_REFUSED');
  assert.equal(
    codeOf(status.RESOURCE_EXHAUSTED, 'etcdserver: mvcc: database space exceeded'),
    'ETCD_REFUSED',
  );
});

test('the error names the call, the member and the message of etcd', () => {
  const error = toEtcdError({ code: status.NOT_FOUND, details: 'etcdserver: member not found' }, call);
  assert.match(error.message, /MemberPromote on 127\.0\.0\.1:2379: etcdserver: member not found$/);
  assert.deepEqual(error.fields, {
    endpoint: '127.0.0.1:2379',
    call: 'MemberPromote',
    message: 'etcdserver: member not found',
  });
});
