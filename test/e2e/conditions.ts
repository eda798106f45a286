import { until } from '../wait.ts';
import { conditionOf, type EtcdClusterStatus, type Stage } from './stage.ts';

type Condition = NonNullable<EtcdClusterStatus['conditions']>[number];

/** Waits until a cluster's condition holds for this reason, in words that match. */
export const holds = (
  stage: Stage,
  name: string,
  type: 'Degraded' | 'Blocked',
  [reason, words]: [string, RegExp],
  limitMs = 150_000,
): Promise<Condition> =>
  until(
    `${name} is ${type} by ${reason}: ${words}`,
    async () => {
      const condition = conditionOf(await stage.get('etcdcluster', name), type);
      return condition?.status === 'True' && condition.reason === reason && words.test(condition.message)
        ? condition
        : undefined;
    },
    limitMs,
  );

/** Waits until the condition does not hold any more. */
export const holdsNoMore = (stage: Stage, name: string, type: 'Degraded' | 'Blocked'): Promise<unknown> =>
  until(
    `${name} is not ${type} any more`,
    async () => conditionOf(await stage.get('etcdcluster', name), type)?.status === 'False',
    150_000,
  );
