import { QuorateError } from '../errors/catalogue.ts';

/** What a plan has instead of what it must not reach for. */
const instead = {
  clock: 'use the argument `nowMs`',
  chance: 'sort, and take the first: the same facts always give the same plan',
  later: 'say `requeueAfterMs` in the plan',
  world: '`observe` gathers facts, and steps act',
  settings: 'what a plan depends on is in its spec or in its facts',
};

/** What stands in the place of what, while a plan is made. Assigned and not defined anew, which takes ten times as long. */
const guards: [holder: object, name: string, guard: unknown][] = [
  [globalThis, 'Date', guardedDate(Date)],
  [performance, 'now', refusal('performance.now', instead.clock)],
  [Math, 'random', refusal('Math.random', instead.chance)],
  [Crypto.prototype, 'randomUUID', refusal('crypto.randomUUID', instead.chance)],
  [Crypto.prototype, 'getRandomValues', refusal('crypto.getRandomValues', instead.chance)],
  [globalThis, 'setTimeout', refusal('setTimeout', instead.later)],
  [globalThis, 'setInterval', refusal('setInterval', instead.later)],
  [globalThis, 'setImmediate', refusal('setImmediate', instead.later)],
  [globalThis, 'fetch', refusal('fetch', instead.world)],
  [process, 'env', refusingObject(refusal('process.env', instead.settings))],
];

/**
 * Runs `decide`, in which the clock, randomness, timers, the network and the environment throw PLAN_IMPURE, naming
 * what to use instead. It is synchronous, so nothing else of this thread runs meanwhile and meets a guard. That plan
 * code imports nothing of that kind is a check of its own (test/checks/purity.ts).
 */
export function runPure<Result>(decide: () => Result): Result {
  const originals = guards.map(([holder, name]) => Reflect.get(holder, name));
  try {
    for (const [holder, name, guard] of guards) Reflect.set(holder, name, guard);
    return decide();
  } finally {
    for (const [index, [holder, name]] of guards.entries()) Reflect.set(holder, name, originals[index]);
  }
}

function refusal(name: string, port: string): () => never {
  return () => {
    throw new QuorateError('PLAN_IMPURE', `${name}: ${port}`);
  };
}

/** An object of which nothing can be read. */
function refusingObject(refuse: () => never): object {
  return new Proxy({}, { get: refuse, has: refuse, ownKeys: refuse, getOwnPropertyDescriptor: refuse });
}

/** A `Date` that still computes with given times, and does not know the present one. */
function guardedDate(original: DateConstructor): DateConstructor {
  const refuse = refusal('the present date', instead.clock);
  return new Proxy(original, {
    construct: (target, args, made) => (args.length === 0 ? refuse() : Reflect.construct(target, args, made)),
    apply: refuse,
    get: (target, name) => (name === 'now' ? refuse : Reflect.get(target, name)),
  });
}
