import { join } from 'node:path';
import {
  type ChannelOptions,
  Client,
  connectivityState,
  credentials,
  Metadata,
  type ServiceError,
} from '@grpc/grpc-js';
import { loadSync, type MethodDefinition, type ServiceDefinition } from '@grpc/proto-loader';
import { toEtcdError } from './errors.ts';
import {
  type AlarmMessage,
  type EtcdAlarm,
  type EtcdKeyValue,
  type EtcdMember,
  type EtcdStatus,
  fromHexId,
  type KeyValueMessage,
  type MemberMessage,
  prefixEnd,
  type StatusMessage,
  toAlarms,
  toKeyValue,
  toMember,
  toMembers,
  toStatus,
} from './messages.ts';

export type { EtcdAlarm, EtcdKeyValue, EtcdMember, EtcdStatus } from './messages.ts';

/**
 * One etcd member, asked over gRPC. Every call ends within the client's timeout; it throws a `QuorateError` of
 * the catalogue (`ETCD_…`), or the signal's reason where the signal was aborted. What is said of etcd below was
 * seen with 3.4.23 and 3.5.16.
 *
 * A learner answers nothing but `status` (ETCD_REFUSED, "rpc not supported for learner"). A member without a
 * leader answers `status` and `members`; all else is ETCD_NO_LEADER at once, or ETCD_TIMEOUT while
 * it has not yet noticed. A member started while there is no quorum accepts connections but answers nothing:
 * ETCD_UNREACHABLE, as for a frozen one.
 *
 * **addMember, promoteMember and removeMember that fail with ETCD_TIMEOUT or ETCD_UNREACHABLE, or were aborted,
 * may have been carried out, or may be as soon as there is a quorum: read the members again.**
 *
 * etcd refuses a change that it takes to endanger quorum (ETCD_UNHEALTHY_CLUSTER), but that is no safeguard to
 * lean on: it counts connections, and those of a frozen member last for seconds. With one of three members
 * frozen it added a voter, and quorum was gone.
 */
export interface EtcdClient {
  /** Of this member's own state: needs no quorum, and may lag behind. */
  status(): Promise<EtcdStatus>;
  /**
   * Sorted by id, as this member has applied them, which may lag and needs no quorum. After `readLinearizable`
   * on the same member the list is at least as new as that read.
   */
  members(): Promise<EtcdMember[]>;
  /** Proves that this member reaches a quorum, by reading a key that need not exist. */
  readLinearizable(): Promise<void>;
  /**
   * Adds a member that is not started yet; `members` includes it. Before 3.4 there are no learners and
   * `learner` is ignored: the answer tells what was added. For 5 s after any voter was connected anew, which
   * includes a learner just promoted, etcd refuses with ETCD_UNHEALTHY_CLUSTER; also a second learner
   * (ETCD_TOO_MANY_LEARNERS).
   */
  addMember(
    peerUrls: string[],
    options: { learner: boolean },
  ): Promise<{ member: EtcdMember; members: EtcdMember[] }>;
  /** ETCD_LEARNER_NOT_READY until it has caught up; ETCD_REFUSED where it is a voter already. */
  promoteMember(id: string): Promise<void>;
  /**
   * ETCD_MEMBER_NOT_FOUND where it is gone already. The removed process ends at once and never starts again
   * with its data. etcd removes even the leader; then the answer may be lost with it and the others need an
   * election: move the leadership first.
   */
  removeMember(id: string): Promise<void>;
  /**
   * Hands leadership to `targetId` and waits until it has it. Only the leader can (ETCD_NOT_LEADER), and not
   * to a learner or to a stranger (ETCD_REFUSED, "bad leader transferee"); to itself it does nothing.
   */
  moveLeader(targetId: string): Promise<void>;
  /** The alarms of all members; needs a quorum. */
  alarms(): Promise<EtcdAlarm[]>;
  put(key: string, value: string): Promise<void>;
  /** Takes away one key, if it is there. */
  delete(key: string): Promise<void>;
  /** Linearizable; `undefined` where there is no such key. */
  get(key: string): Promise<string | undefined>;
  /** All keys that begin with `prefix` (not empty), linearizable, of one revision, sorted by key. */
  range(prefix: string): Promise<EtcdKeyValue[]>;
  /** Frees the connection. Calls in flight still end as they would; a later one is a mistake and throws. */
  close(): void;
}

const definitions = loadSync(join(import.meta.dirname, 'rpc.proto'), {
  longs: String,
  enums: String,
  defaults: true,
});

const channelOptions: ChannelOptions = {
  // A client's connection is its own: with the shared pool a new client would inherit the old one's back-off.
  'grpc.use_local_subchannel_pool': 1,
  'grpc.initial_reconnect_backoff_ms': 100,
  'grpc.max_reconnect_backoff_ms': 1000,
  // Members are reached directly, and a call goes out once: a repeated membership change is another change.
  'grpc.enable_http_proxy': 0,
  'grpc.enable_retries': 0,
  'grpc.service_config_disable_resolution': 1,
  'grpc.enable_channelz': 0,
  'grpc.max_receive_message_length': 64 * 1024 * 1024,
};

/** Makes a member without a leader refuse at once instead of letting the call wait for its deadline. */
const requireLeader = new Metadata();
requireLeader.set('hasleader', 'true');

/**
 * A client of the member at `endpoint` (`host:port`, no TLS). It connects with the first call, so it never
 * throws; close it, or its connection keeps the process alive.
 */
export function connectEtcd(
  endpoint: string,
  options: { timeoutMs?: number; signal?: AbortSignal } = {},
): EtcdClient {
  const { timeoutMs = 2000, signal } = options;
  const client = new Client(endpoint, credentials.createInsecure(), channelOptions);

  function call<Reply>(service: string, name: string, request: object, metadata = new Metadata()) {
    const method = methodOf(service, name);
    return new Promise<Reply>((resolve, reject) => {
      signal?.throwIfAborted();
      const settle = (error: ServiceError | null, reply?: object) => {
        signal?.removeEventListener('abort', abort);
        if (error === null) resolve(reply as Reply);
        else if (signal?.aborted) reject(signal.reason);
        else {
          const connected = client.getChannel().getConnectivityState(false) === connectivityState.READY;
          reject(toEtcdError(error, { name, endpoint, connected }));
        }
      };
      const running = client.makeUnaryRequest(
        method.path,
        method.requestSerialize,
        method.responseDeserialize,
        request,
        metadata,
        { deadline: Date.now() + timeoutMs },
        settle,
      );
      const abort = () => running.cancel();
      signal?.addEventListener('abort', abort);
    });
  }

  return {
    async status() {
      return toStatus(await call<StatusMessage>('Maintenance', 'Status', {}));
    },
    async members() {
      const reply = await call<{ members: MemberMessage[] }>('Cluster', 'MemberList', {
        linearizable: false,
      });
      return toMembers(reply.members);
    },
    async readLinearizable() {
      await call('KV', 'Range', { key: Buffer.from('health'), countOnly: true }, requireLeader);
    },
    async addMember(peerUrls, { learner }) {
      const request = { peerUrls, isLearner: learner };
      const reply = await call<{ member: MemberMessage; members: MemberMessage[] }>(
        'Cluster',
        'MemberAdd',
        request,
        requireLeader,
      );
      return { member: toMember(reply.member), members: toMembers(reply.members) };
    },
    async promoteMember(id) {
      await call('Cluster', 'MemberPromote', { id: fromHexId(id) }, requireLeader);
    },
    async removeMember(id) {
      await call('Cluster', 'MemberRemove', { id: fromHexId(id) }, requireLeader);
    },
    async moveLeader(targetId) {
      await call('Maintenance', 'MoveLeader', { targetId: fromHexId(targetId) }, requireLeader);
    },
    async alarms() {
      const reply = await call<{ alarms: AlarmMessage[] }>('Maintenance', 'Alarm', {}, requireLeader);
      return toAlarms(reply.alarms);
    },
    async put(key, value) {
      await call('KV', 'Put', { key: Buffer.from(key), value: Buffer.from(value) }, requireLeader);
    },
    async delete(key) {
      await call('KV', 'DeleteRange', { key: Buffer.from(key) }, requireLeader);
    },
    async get(key) {
      const request = { key: Buffer.from(key) };
      const reply = await call<{ kvs: KeyValueMessage[] }>('KV', 'Range', request, requireLeader);
      return reply.kvs.map(toKeyValue)[0]?.value;
    },
    async range(prefix) {
      const key = Buffer.from(prefix);
      const request = { key, rangeEnd: prefixEnd(key) };
      const reply = await call<{ kvs: KeyValueMessage[] }>('KV', 'Range', request, requireLeader);
      return reply.kvs.map(toKeyValue);
    },
    close: () => client.close(),
  };
}

function methodOf(service: string, name: string): MethodDefinition<object, object> {
  const method = (definitions[`etcdserverpb.${service}`] as ServiceDefinition | undefined)?.[name];
  if (method === undefined) throw new Error(`rpc.proto has no ${service}.${name}`);
  return method;
}
