import { z } from 'zod';
import { badRequest } from './status.ts';

const rule = z.strictObject({
  /** get, list, watch, create, update, patch, delete, deletecollection; absent: any. */
  verb: z.string().optional(),
  /** The plural, with `/status` for the subresource; absent: any. */
  resource: z.string().optional(),
  namespace: z.string().optional(),
  name: z.string().optional(),
  /** The first matching request that is hit, counted from 1. */
  nth: z.int().min(1).default(1),
  /** How many are hit from then on; absent: all. */
  times: z.int().min(1).optional(),
  /** Answer with this HTTP status instead of doing anything. */
  status: z.int().min(400).max(599).optional(),
  delayMs: z.int().min(0).optional(),
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
  delayMs?: number;
  /** Serve the list as it was at this resourceVersion. */
  listAt?: string;
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
}

export function createFaults(): Faults {
  let active: { rule: FaultRule; seen: number; setAt: string }[] = [];
  return {
    set: (rules, setAt) => {
      const read = z.array(rule).safeParse(rules);
      if (!read.success) throw badRequest(`the fault rules are wrong: ${z.prettifyError(read.error)}`);
      active = read.data.map((each) => ({ rule: each, seen: 0, setAt }));
    },
    rules: () => active.map((entry) => entry.rule),
    next: (target) => {
      const fault: Fault = {};
      for (const entry of active) {
        if (!matches(entry.rule, target)) continue;
        entry.seen += 1;
        const { nth, times = Number.POSITIVE_INFINITY, status, delayMs, staleList } = entry.rule;
        if (entry.seen < nth || entry.seen >= nth + times) continue;
        if (status !== undefined) fault.status = status;
        if (delayMs !== undefined) fault.delayMs = delayMs;
        if (staleList && target.verb === 'list') fault.listAt = entry.setAt;
      }
      return fault;
    },
    frozen: (target) =>
      active.some((entry) => entry.rule.freezeWatch === true && matches(entry.rule, target)),
  };
}

function matches(wanted: FaultRule, target: FaultTarget): boolean {
  return (['verb', 'resource', 'namespace', 'name'] as const).every(
    (field) => wanted[field] === undefined || wanted[field] === target[field],
  );
}
