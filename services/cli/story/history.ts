import { parseEvent } from '../../../libs/bus/envelope.ts';
import type { Decision, StepRecord } from '../../../libs/engine/decision.ts';
import type { RecordingEntry } from '../../../libs/engine/recording.ts';
import type { KubeObject } from '../../../libs/kube/object.ts';
import { type Change, changeOf } from './objects.ts';
import { inOrder } from './story.ts';

/** One object under a name, from its making to its end. */
export interface Incarnation {
  uid: string;
  /** As its last event told it. */
  object: KubeObject;
  /** When it was first told of; what is kept may begin later than the object. */
  seenAt: string;
  /** The event that told of its making is kept. */
  isWhole: boolean;
  /** When its deletion was first told of: asked for, or done. */
  deletionAt?: string;
  goneAt?: string;
}

/** A step that was done, and the pass it belongs to. */
export interface DoneStep {
  decision: Decision;
  record: StepRecord;
}

/** The records of one cluster, to be asked for causes. */
export interface History {
  /** The name of the cluster's custom resource. */
  cluster: string;
  decisions: readonly Decision[];
  changes: readonly Change[];
  /** Those of an object by its name, e.g. `pod/example-1`, oldest first. */
  incarnations(object: string): Incarnation[];
  /** The steps that touched the object, oldest first. */
  touching(uid: string): DoneStep[];
}

/** Puts the records of one cluster in order. Events that were delivered again never happened, and are left out. */
export function historyOf(cluster: string, records: readonly RecordingEntry[]): History {
  const ordered = inOrder(records);
  const decisions = ordered.flatMap((entry) => ('decision' in entry ? [entry.decision] : []));
  const objects = new Map<string, KubeObject>();
  const byName = new Map<string, Incarnation[]>();
  const changes: Change[] = [];
  for (const entry of ordered) {
    const read = 'event' in entry ? parseEvent(JSON.stringify(entry.event.event)) : undefined;
    if (!read?.ok || read.event.redeliveryof !== undefined) continue;
    const { data } = read.event;
    const uid = data.metadata.uid ?? '';
    const change = changeOf(read.event, objects.get(uid));
    objects.set(uid, data);
    changes.push(change);
    note(byName, change, data);
  }
  const done = decisions.flatMap((decision) =>
    decision.steps.filter(({ outcome }) => outcome === 'done').map((record) => ({ decision, record })),
  );
  return {
    cluster,
    decisions,
    changes,
    incarnations: (object) => byName.get(object) ?? [],
    touching: (uid) => done.filter(({ record }) => record.object?.uid === uid),
  };
}

function note(byName: Map<string, Incarnation[]>, change: Change, data: KubeObject): void {
  const { object, uid, time } = change;
  const all = byName.get(object) ?? [];
  byName.set(object, all);
  let present = all.find((each) => each.uid === uid);
  if (present === undefined) {
    present = { uid, object: data, seenAt: time, isWhole: change.change === 'added' };
    all.push(present);
  }
  present.object = data;
  if (change.change === 'deleted') present.goneAt = time;
  if (change.change === 'deleted' || data.metadata.deletionTimestamp !== undefined)
    present.deletionAt ??= time;
}
