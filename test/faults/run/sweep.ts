import type { Phrase, Plan, StrikeKind } from '../plan.ts';

/** One run of a plan's steps on a lane. */
export interface Case {
  /** `<plan>`, or of a sweep `<plan>/undisturbed` and `<plan>/<how>/<number of the write>`. */
  name: string;
  plan: string;
  steps: Phrase[];
  holds: Phrase[];
  isUndisturbed: boolean;
}

/** The words that ask something of a cluster: each begins a scenario, which the next `settle` ends. */
const scenarioOf: Record<string, (given: object) => string> = {
  create: () => 'create',
  scale: (given) => `scale to ${(given as { size: number }).size}`,
  losePod: (given) => ((given as { claim: boolean }).claim ? 'heal a lost pod and claim' : 'heal a lost pod'),
  delete: () => 'delete',
};

/** What a strike does, in the words of `strike`. */
const strikeOf: Record<StrikeKind, object> = {
  'kill-before': { moment: 'before', do: 'kill' },
  'kill-after': { moment: 'after', do: 'kill' },
  'stop-before': { moment: 'before', do: 'stop' },
};

/** In the undisturbed case the writes are only counted. */
const never = { ...strikeOf['kill-before'], nth: 1_000_000 };

/**
 * The cases of a plan: just one, or those of its sweep. In a sweep every scenario of the plan is struck at the same
 * n-th write of its own, for each n; where the scenario has fewer writes, it is not struck. After each the cluster must
 * be as it is in the undisturbed case, which comes first.
 */
export function casesOf({ name: plan, steps, holds, sweep }: Plan): Case[] {
  if (sweep === undefined) return [{ name: plan, plan, steps, holds, isUndisturbed: false }];
  const numbers = sweep.only ?? Array.from({ length: sweep.writes }, (_, index) => index + 1);
  const undisturbed = {
    ...{ name: `${plan}/undisturbed`, plan, holds, isUndisturbed: true },
    steps: striking(steps, never),
  };
  const struck = sweep.each.flatMap((kind) =>
    numbers.map((nth) => ({
      ...{ name: `${plan}/${kind}/${nth}`, plan, holds, isUndisturbed: false },
      steps: striking(steps, { ...strikeOf[kind], nth }),
    })),
  );
  return [undisturbed, ...struck];
}

function striking(steps: Phrase[], strike: object): Phrase[] {
  let scenario: string | undefined;
  return steps.flatMap((phrase): Phrase[] => {
    const begun = scenarioOf[phrase.word]?.(phrase.given as object);
    if (begun !== undefined) {
      scenario = begun;
      return [{ word: 'strike', given: strike }, phrase];
    }
    if (phrase.word !== 'settle' || scenario === undefined) return [phrase];
    const ended = { scenario };
    scenario = undefined;
    return [
      phrase,
      { word: 'release', given: { ...ended, mayBeNone: true } },
      phrase,
      { word: 'sameEnd', given: ended },
    ];
  });
}
