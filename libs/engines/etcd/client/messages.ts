/** A member as etcd's membership lists it. */
export interface EtcdMember {
  /** Lower-case hexadecimal, as etcdctl prints it. */
  id: string;
  /** Empty where the member was added but has never been started. */
  name: string;
  peerUrls: string[];
  /** Empty where the member has never been started. */
  clientUrls: string[];
  isLearner: boolean;
}

/** What one member says of itself, from its own state alone: it says so without a quorum, too. */
export interface EtcdStatus {
  memberId: string;
  clusterId: string;
  version: string;
  /** The leader as this member sees it; `'0'` when it sees none. */
  leaderId: string;
  /** Decimal, as all of raft's counters: they may exceed what a JavaScript number can hold. */
  raftTerm: string;
  raftIndex: string;
  /** `'0'` before etcd 3.4, which does not tell. */
  raftAppliedIndex: string;
  dbSizeBytes: number;
  isLearner: boolean;
  /** Alarms and missing leader in etcd's words; always empty before etcd 3.4. */
  errors: string[];
}

export interface EtcdAlarm {
  memberId: string;
  alarm: 'NOSPACE' | 'CORRUPT';
}

export interface EtcdKeyValue {
  key: string;
  value: string;
}

// The answers as @grpc/proto-loader decodes them with `longs: String`, `enums: String` and `defaults: true`.

export interface MemberMessage {
  id: string;
  name: string;
  peerUrls: string[];
  clientUrls: string[];
  isLearner: boolean;
}

export interface StatusMessage {
  header: { clusterId: string; memberId: string } | null;
  version: string;
  dbSize: string;
  leader: string;
  raftIndex: string;
  raftTerm: string;
  raftAppliedIndex: string;
  errors: string[];
  isLearner: boolean;
}

export interface AlarmMessage {
  memberId: string;
  alarm: string;
}

export interface KeyValueMessage {
  key: Buffer;
  value: Buffer;
}

/** A decimal uint64 as the lower-case hexadecimal that etcdctl prints. */
export function toHexId(decimal: string): string {
  return BigInt(decimal).toString(16);
}

/** The inverse of `toHexId`. */
export function fromHexId(hex: string): string {
  if (!/^[0-9a-f]{1,16}$/.test(hex)) throw new RangeError(`not a member id of etcd: ${JSON.stringify(hex)}`);
  return BigInt(`0x${hex}`).toString();
}

export function toMember(message: MemberMessage): EtcdMember {
  return {
    id: toHexId(message.id),
    name: message.name,
    peerUrls: message.peerUrls.toSorted(),
    clientUrls: message.clientUrls.toSorted(),
    isLearner: message.isLearner,
  };
}

/** Sorted by id, so that nothing depends on the order in which a member happens to answer. */
export function toMembers(messages: MemberMessage[]): EtcdMember[] {
  return messages.map(toMember).toSorted((a, b) => (a.id < b.id ? -1 : 1));
}

export function toStatus(message: StatusMessage): EtcdStatus {
  return {
    memberId: toHexId(message.header?.memberId ?? '0'),
    clusterId: toHexId(message.header?.clusterId ?? '0'),
    version: message.version,
    leaderId: toHexId(message.leader),
    raftTerm: message.raftTerm,
    raftIndex: message.raftIndex,
    raftAppliedIndex: message.raftAppliedIndex,
    dbSizeBytes: Number(message.dbSize),
    isLearner: message.isLearner,
    errors: message.errors,
  };
}

/** The alarms that stand for trouble; NONE is a placeholder of the protocol. */
export function toAlarms(messages: AlarmMessage[]): EtcdAlarm[] {
  return messages.flatMap(({ memberId, alarm }) =>
    alarm === 'NOSPACE' || alarm === 'CORRUPT' ? [{ memberId: toHexId(memberId), alarm }] : [],
  );
}

export function toKeyValue(message: KeyValueMessage): EtcdKeyValue {
  return { key: message.key.toString(), value: message.value.toString() };
}

/** The first key after all keys that begin with `prefix`, for a range `[prefix, end)`; `\0` means no end. */
export function prefixEnd(prefix: Buffer): Buffer {
  const last = prefix.findLastIndex((byte) => byte < 0xff);
  if (last === -1) return Buffer.from([0]);
  const end = Buffer.from(prefix.subarray(0, last + 1));
  end.writeUInt8(prefix.readUInt8(last) + 1, last);
  return end;
}
