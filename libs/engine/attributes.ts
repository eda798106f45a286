import type { Decision } from './decision.ts';

/** What the spans of a trace say of a decision: names and codes, nothing of what the pass saw, and no message. */
export function attributesOf({ id, kube, key, engine, plan, error }: Decision): Record<string, string> {
  return {
    'quorate.kube': kube,
    'quorate.key': key,
    'quorate.engine': engine.name,
    'quorate.decision': id,
    'quorate.reason': error?.code ?? plan?.reason ?? 'none',
  };
}
