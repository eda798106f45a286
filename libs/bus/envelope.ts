import { z } from 'zod';
import { messageOf } from '../errors/catalogue.ts';
import type { KubeObject } from '../kube/object.ts';

export const eventTypes = [
  'io.quorate.kube.added',
  'io.quorate.kube.modified',
  'io.quorate.kube.deleted',
] as const;

/** The object as far as the bus vouches for it; the rest belongs to whoever knows the kind. */
const kubeObject = z.looseObject({
  apiVersion: z.string().min(1),
  kind: z.string().min(1),
  metadata: z.looseObject({ name: z.string().min(1) }),
});

/**
 * An event: a CloudEvents 1.0 envelope in its JSON format (https://github.com/cloudevents/spec, v1.0.2).
 * Attributes that we do not know are let through, as the specification asks.
 */
const eventEnvelope = z.looseObject({
  specversion: z.literal('1.0'),
  /** `<uid>/<resourceVersion>/<type>`; the bus keeps one event of an id. */
  id: z.string().min(1),
  source: z.string().min(1),
  type: z.enum(eventTypes),
  time: z.iso.datetime({ offset: true }),
  datacontenttype: z.literal('application/json'),
  /** W3C trace context (https://www.w3.org/TR/trace-context/). */
  traceparent: z.string().optional(),
  /** Who changed the object last, see `changersOf`. */
  changedby: z.string().optional(),
  /** The id of the event that this one repeats, where a person had it delivered again. */
  redeliveryof: z.string().optional(),
  data: kubeObject,
});

export interface EventEnvelope {
  specversion: '1.0';
  id: string;
  source: string;
  type: (typeof eventTypes)[number];
  time: string;
  datacontenttype: 'application/json';
  traceparent?: string;
  changedby?: string;
  redeliveryof?: string;
  data: KubeObject;
}

/** Why a message could not be read: `reason` is one of a few words, `detail` is for people. */
export interface Unreadable {
  ok: false;
  reason: 'not-json' | 'not-an-event' | 'unknown-subject';
  detail: string;
}

/** Reads an event; what is none comes back with the reason, never as an exception. */
export function parseEvent(payload: Uint8Array | string): { ok: true; event: EventEnvelope } | Unreadable {
  const json = parseJson(payload);
  if (!json.ok) return json;
  const read = eventEnvelope.safeParse(json.value);
  if (!read.success) {
    const issues = read.error.issues.map(
      (issue) => `${issue.path.join('.') || 'envelope'}: ${issue.message}`,
    );
    return { ok: false, reason: 'not-an-event', detail: issues.join('; ') };
  }
  // The schema checks what is in KubeObject's type as far as anybody downstream relies on it unread.
  return { ok: true, event: read.data as EventEnvelope };
}

/** Reads a JSON object, e.g. a decision record. */
export function parseRecord(
  payload: Uint8Array | string,
): { ok: true; value: Record<string, unknown> } | Unreadable {
  const json = parseJson(payload);
  if (!json.ok) return json;
  if (typeof json.value !== 'object' || json.value === null || Array.isArray(json.value)) {
    return { ok: false, reason: 'not-json', detail: 'not a JSON object' };
  }
  return { ok: true, value: json.value as Record<string, unknown> };
}

function parseJson(payload: Uint8Array | string): { ok: true; value: unknown } | Unreadable {
  try {
    const text =
      typeof payload === 'string' ? payload : new TextDecoder('utf-8', { fatal: true }).decode(payload);
    return { ok: true, value: JSON.parse(text) };
  } catch (error) {
    return { ok: false, reason: 'not-json', detail: messageOf(error) };
  }
}
