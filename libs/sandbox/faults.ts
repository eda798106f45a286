import { z } from 'zod';
import { badRequest } from './status.ts';

const rule = z.strictObject({
  /** get, list, watch, create, update, patch, delete, deletecollection; absent: any. */
  verb: z.string().optional(),
  /** The plural, with `/status` for the subresource; absent: any. */
  resource: z.string().optional(),
  namespace: z.string().optional(),
  /** Only requests for all namespaces at once, such as the watcher's. */
  allNamespaces: z.boolean().optional(),
  name: z.string().optional(),
  /** The first matching request that is hit, counted from 1. */
  nth: z.int().min(1).default(1),
  /** How many are hit from then on; absent: all. */
  times: z.int().min(1).optional(),
  /** Answer with this HTTP status instead of doing anything. */
  status: z.int().min(400).max(599).optional(),
  /** What that answer says; a text of the sandbox's own without it. */
  message: z.string().optional(),
  /** What that answer says about when to come back, in the body and as `Retry-After`. */
  retryAfterSeconds: z.int().min(0).optional(),
  /** How long the answer is held back, or in a watch, each of its events. */
  delayMs: z.int().min(0).optional(),
  /** Watches that are open end now, as they do when their time is up, but without a last bookmark. */
  endWatch: z.boolean().optional(),
  /** What becomes of the events of watches. */
  watchEvents: z.enum(['dropped', 'doubled', 'reordered']).optional(),
  /** Watches, also those open already, fall silent for good: they stay open, like a connection gone dead. */
  freezeWatch: z.boolean().optional(),
  /** Lists are served as they were when the rule was set. */
  staleList: z.boolean().optional(),
});

export type FaultRule = z.infer<typeof rule>;

export interface FaultTarget {
  verb: string;
  resource: string;
  namespace?: string | undefined;
  name?: string | undefined;
}

export interface Fault {
  status?: number;
  message?: string;
  retryAfterSeconds?: number;
  delayMs?: number;
  /** Serve the list as it was at this resourceVersion. */
  listAt?: string;
}

/** What is done to the events of a watch. */
export interface WatchFault {
  events?: 'dropped' | 'doubled' | 'reordered';
  delayMs?: number;
}

/** Faults on demand: the rules in force, and what they say to each request. */
export interface Faults {
  /** Replaces all rules and starts their counts anew; throws BadRequest naming what is wrong with them. */
  set(rules: unknown, resourceVersion: string): void;
  rules(): FaultRule[];
  /** What happens to this request; counts it. */
  next(target: FaultTarget): Fault;
  /** Whether a watch falls silent now. */
  frozen(target: FaultTarget): boolean;
  /** What is done to the events of a watch now. */
  ofWatch(target: FaultTarget): WatchFault | undefined;
  /** Calls back each time that watches which match are to end; returns what ends that. */
  onEndWatch(target: FaultTarget, end: () => void): () => void;
}

export function createFaults(): Faults {
  let active: { rule: FaultRule; seen: number; setAt: string }[] = [];
  const watches = new Set<{ target: FaultTarget; end: () => void }>();
  return {
    set: (rules, setAt) => {
      const read = z.array(rule).safeParse(rules);
      if (!read.success) throw badRequest(`the fault rules are wrong: ${z.prettifyError(read.error)}`);
      active = read.data.map((each) => ({ rule: each, seen: 0, setAt }));
      const ending = read.data.filter(({ endWatch }) => endWatch === true);
      for (const { target, end } of [...watches]) if (ending.some((each) => matches(each, target))) end();
    },
    rules: () => active.map((entry) => entry.rule),
    next: (target) => {
      const fault: Fault = {};
      for (const entry of active) {
        if (!matches(entry.rule, target)) continue;
        entry.seen += 1;
        const { nth, times = Number.POSITIVE_INFINITY, staleList } = entry.rule;
        const { status, message, retryAfterSeconds, delayMs } = entry.rule;
        if (entry.seen < nth || entry.seen >= nth + times) continue;
        if (status !== undefined) {
          fault.status = status;
          if (message !== undefined) fault.message = message;
          if (retryAfterSeconds !== undefined) fault.retryAfterSeconds = retryAfterSeconds;
        }
        if (delayMs !== undefined) fault.delayMs = delayMs;
        if (staleList && target.verb === 'list') fault.listAt = entry.setAt;
      }
      return fault;
    },
    frozen: (target) =>
      active.some((entry) => entry.rule.freezeWatch === true && matches(entry.rule, target)),
    ofWatch(target) {
      const found = active.find(({ rule: given }) => isOfEvents(given) && matches(given, target))?.rule;
      if (found === undefined) return undefined;
      const { watchEvents: events, delayMs } = found;
      return { ...(events !== undefined && { events }), ...(delayMs !== undefined && { delayMs }) };
    },
    onEndWatch(target, end) {
      const watch = { target, end };
      watches.add(watch);
      return () => void watches.delete(watch);
    },
  };
}

const isOfEvents = ({ verb, watchEvents, delayMs }: FaultRule): boolean =>
  watchEvents !== undefined || (verb === 'watch' && delayMs !== undefined);

function matches(wanted: FaultRule, target: FaultTarget): boolean {
  if (wanted.allNamespaces === true && target.namespace !== undefined) return false;
  return (['verb', 'resource', 'namespace', 'name'] as const).every(
    (field) => wanted[field] === undefined || wanted[field] === target[field],
  );
}
