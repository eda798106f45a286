import { createHash } from 'node:crypto';
import type { Decision } from '../../libs/engine/decision.ts';
import type { KubeObject } from '../../libs/kube/object.ts';
import type { WrittenCondition, WrittenStatus } from './status.ts';

/** The most characters of an event's message that the Kubernetes API takes. */
const longestMessage = 1024;

interface Note {
  type: 'Normal' | 'Warning';
  reason: string;
  message: string;
}

/**
 * The Kubernetes Events of a decision, so that `kubectl describe` reads like a log: each step that changed
 * something or failed, and each condition that turned. Pure.
 *
 * Named after the decision, so that a record that comes twice makes them once; and so that the names sort in the
 * order of time, since kubectl sorts by whole seconds and keeps the order of the names within one.
 */
export function eventsOf(
  decision: Decision,
  resource: KubeObject,
  before: WrittenStatus,
  after: WrittenStatus | undefined,
): KubeObject[] {
  const notes = [...stepNotes(decision), ...(after ? conditionNotes(before, after) : [])];
  const { apiVersion, kind, metadata } = resource;
  // When it happened, which is not when this is written: after an outage, records are read later.
  const time = `${new Date(decision.nowMs).toISOString().slice(0, 19)}Z`;
  return notes.map(({ type, reason, message }, index) => ({
    apiVersion: 'v1',
    kind: 'Event',
    metadata: {
      name: eventName(metadata.name, decision, index),
      namespace: metadata.namespace ?? 'default',
    },
    involvedObject: {
      apiVersion,
      kind,
      name: metadata.name,
      namespace: metadata.namespace,
      uid: metadata.uid,
      resourceVersion: metadata.resourceVersion,
    },
    type,
    reason,
    message: message.length > longestMessage ? `${message.slice(0, longestMessage - 1)}…` : message,
    firstTimestamp: time,
    lastTimestamp: time,
    count: 1,
    source: { component: 'quorate' },
    reportingComponent: 'quorate',
    reportingInstance: decision.worker,
  }));
}

function eventName(cluster: string, { id, nowMs }: Decision, index: number): string {
  const hex = (value: number, digits: number) => value.toString(16).padStart(digits, '0');
  const hash = createHash('sha256').update(id).digest('hex').slice(0, 8);
  return `${cluster}.${hex(nowMs, 12)}${hex(index, 3)}${hash}`;
}

const capitalized = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1);

function stepNotes({ steps }: Decision): Note[] {
  return steps.flatMap(({ step, why, outcome, detail }): Note[] => {
    const reason = capitalized(step);
    if (outcome === 'done') return [{ type: 'Normal', reason, message: detail ? `${why} (${detail})` : why }];
    if (outcome === 'failed')
      return [{ type: 'Warning', reason: `${reason}Failed`, message: `${why}: ${detail}` }];
    return [];
  });
}

/**
 * Conditions whose turn people want to read of: which way is the good one, and the word when it no longer holds. What
 * they have asked for is no warning.
 */
const told: Record<string, { good: 'True' | 'False'; otherwise: string; asked?: true }> = {
  Available: { good: 'True', otherwise: 'Unavailable' },
  Recovering: { good: 'False', otherwise: 'Recovered' },
  Degraded: { good: 'False', otherwise: 'NotDegraded' },
  Upgrading: { good: 'False', otherwise: 'UpgradeEnded', asked: true },
  Blocked: { good: 'False', otherwise: 'Unblocked' },
};

function conditionNotes(before: WrittenStatus, after: WrittenStatus): Note[] {
  return (after.conditions ?? []).flatMap((condition): Note[] => {
    const words = told[condition.type];
    const previous = before.conditions?.find(({ type }) => type === condition.type);
    if (words === undefined || !hasTurned(previous, condition, words.good)) return [];
    const { type, status, reason, message } = condition;
    const state = status === 'True' ? type : words.otherwise;
    return [
      {
        type: status === words.good || words.asked ? 'Normal' : 'Warning',
        reason: state,
        message: message || reason,
      },
    ];
  });
}

/** A condition that appears in its good state is no news, but for Available. */
function hasTurned(
  previous: WrittenCondition | undefined,
  condition: WrittenCondition,
  good: string,
): boolean {
  if (previous?.status === condition.status) {
    const hasCauses = condition.type === 'Blocked' || condition.type === 'Degraded';
    return hasCauses && condition.status === 'True' && previous.reason !== condition.reason;
  }
  if (condition.type === 'Available') return previous !== undefined || condition.status === good;
  return previous !== undefined || condition.status !== good;
}
