import { status } from '@grpc/grpc-js';
import { type ErrorCode, QuorateError } from '../../../errors/catalogue.ts';

/** What gRPC says of a failed call. */
export interface CallFailure {
  /** A gRPC status code. */
  code: number;
  details: string;
}

/**
 * etcd's own messages (its api/v3rpc/rpctypes/error.go, the same from 3.2 to 3.6), each with what it means to
 * us. The texts are compared whole: one of them is the beginning of another.
 */
const meanings: Record<string, ErrorCode> = {
  'etcdserver: no leader': 'ETCD_NO_LEADER',
  'etcdserver: leader changed': 'ETCD_NO_LEADER',
  // Said by a leader that is just handing over.
  'raft proposal dropped': 'ETCD_NO_LEADER',
  'etcdserver: request timed out': 'ETCD_TIMEOUT',
  'etcdserver: request timed out, possibly due to previous leader failure': 'ETCD_TIMEOUT',
  'etcdserver: request timed out, possibly due to connection lost': 'ETCD_TIMEOUT',
  'etcdserver: request timed out, waiting for the applied index took too long': 'ETCD_TIMEOUT',
  'etcdserver: request timed out, leader transfer took too long': 'ETCD_TIMEOUT',
  // Said by a server that noticed our deadline before our own clock did.
  'context deadline exceeded': 'ETCD_TIMEOUT',
  // Said while starting and while stopping.
  'etcdserver: not capable': 'ETCD_UNREACHABLE',
  'etcdserver: server stopped': 'ETCD_UNREACHABLE',
  'etcdserver: can only promote a learner member which is in sync with leader': 'ETCD_LEARNER_NOT_READY',
  'etcdserver: member not found': 'ETCD_MEMBER_NOT_FOUND',
  'etcdserver: member ID already exist': 'ETCD_MEMBER_EXISTS',
  'etcdserver: Peer URLs already exists': 'ETCD_MEMBER_EXISTS',
  'etcdserver: unhealthy cluster': 'ETCD_UNHEALTHY_CLUSTER',
  'etcdserver: re-configuration failed due to not enough started members': 'ETCD_UNHEALTHY_CLUSTER',
  'etcdserver: too many learner members in cluster': 'ETCD_TOO_MANY_LEARNERS',
  'etcdserver: not leader': 'ETCD_NOT_LEADER',
};

/**
 * The error of the catalogue for a failed call. `connected`: whether there was a connection when it failed,
 * which tells a member that does not answer from one that cannot be reached.
 */
export function toEtcdError(
  failure: CallFailure,
  call: { name: string; endpoint: string; connected: boolean },
): QuorateError {
  const { name, endpoint, connected } = call;
  // grpc-js ends some messages with the heading of a note that is empty.
  const message = failure.details.replace(/\.? Resolution note: $/, '');
  return new QuorateError(codeOf(failure, connected), `${name} on ${endpoint}: ${message}`, {
    endpoint,
    call: name,
    message,
  });
}

function codeOf(failure: CallFailure, connected: boolean): ErrorCode {
  const meaning = meanings[failure.details];
  if (meaning !== undefined) return meaning;
  if (failure.code === status.DEADLINE_EXCEEDED) return connected ? 'ETCD_TIMEOUT' : 'ETCD_UNREACHABLE';
  // Any other UNAVAILABLE that does not come from etcd itself is the transport's.
  const fromEtcd = failure.details.startsWith('etcdserver:');
  return failure.code === status.UNAVAILABLE && !fromEtcd ? 'ETCD_UNREACHABLE' : 'ETCD_REFUSED';
}
