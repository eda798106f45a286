import { z } from 'zod';
import type { Engine, Plan } from '../contract.ts';
import { type Decision, decisionFormat } from '../decision.ts';

/** An engine whose members say what a test lets them say, and the records of its passes, for tests of looks. */

export interface Facts {
  members: Record<string, string>;
  /** Something is due then. */
  dueAtMs?: number;
  /** When the next pass or look is due, in milliseconds. */
  everyMs?: number;
  /** There is something that only a pass can see. */
  hidden?: true;
}

/** What members say now, by address. */
export const says = new Map<string, string>();

export const engine: Engine = {
  ...{ name: 'test', version: 2, owned: [], steps: {}, observe: async () => ({}) },
  resource: {
    ...{ group: 'test.quorate.io', version: 'v1', kind: 'Test', plural: 'tests', singular: 'test' },
    ...{
      shortNames: [],
      description: 'A test.',
      spec: z.object({}),
      status: z.object({}),
      printerColumns: [],
    },
  },
  plan(_spec, facts, nowMs): Plan {
    const { dueAtMs = 0, everyMs = 10_000 } = facts as Facts;
    const reason = nowMs < dueAtMs ? 'Waiting' : 'Healthy';
    return { reason, message: reason, steps: [], status: undefined, requeueAfterMs: everyMs };
  },
  look: {
    answers(facts) {
      const { members, hidden } = facts as Facts;
      const answers = Object.entries(members).map(([name, answer]) => [
        name,
        { address: `at ${name}`, answer },
      ]);
      return hidden ? undefined : Object.fromEntries(answers);
    },
    async ask(address) {
      const said = says.get(address);
      if (said === undefined) throw new Error('no answer');
      return said;
    },
  },
};

export const calm = { a: 'leads', b: 'follows' };

/** The record of a pass that found these facts. */
export function pass(facts: Facts, change: Partial<Decision> = {}): Decision {
  const given = { spec: {}, facts, nowMs: 1000 };
  return {
    ...{ format: decisionFormat, id: '1', kube: 'local', key: 'test/default/x', worker: 'w', wokenBy: [] },
    ...{ engine: { name: 'test', version: 2 }, traceId: 't', time: '2026-01-01T00:00:00.000Z', ...given },
    ...{ resource: { uid: 'u', generation: 1, resourceVersion: '1' }, steps: [] },
    ...{ durationMs: { observe: 1, plan: 1, act: 1 } },
    plan: engine.plan({}, facts, given.nowMs) as NonNullable<Decision['plan']>,
    ...change,
  };
}
