import type { TestCluster } from '../../e2e/cluster.ts';
import type { Stage } from '../../e2e/stage.ts';
import type { Watched } from '../../e2e/watched.ts';
import type { EndState } from './end-state.ts';
import type { Lane } from './lane.ts';
import type { Random } from './random.ts';

/** What the words of a plan work on: one case, on a lane, in a namespace of its own. */
export interface Scene {
  readonly lane: Lane;
  readonly stage: Stage;
  readonly watched: Watched;
  /** The only chance in a case. */
  readonly random: Random;
  /** The clusters that were asked for, by name. */
  readonly subjects: Map<string, Subject>;
  /** What the same steps led to undisturbed, by label; written by the undisturbed case of a sweep. */
  readonly undisturbed: Map<string, EndState>;
  /** Whether this is that case. */
  readonly isUndisturbed: boolean;
  /** The writes of each scenario; filled by that case. */
  readonly writes: Map<string, string[]>;
  /** What became of each strike, for the report. */
  readonly struck: Struck[];
  /** Done at the end of the case, the last first, whatever happens: it mends what a word has broken. */
  afterwards(mend: () => Promise<void>): void;
  /** Something for the report. */
  remark(line: string): void;
}

/** A cluster, and what was last asked of it. */
export interface Subject {
  readonly cluster: TestCluster;
  readonly claims: boolean;
  /** How many members it is to have; 0 once it was deleted. */
  size: number;
  /** The pods that were hit, by uid, and how often their processes had been started again by then. */
  readonly hit: Map<string, number>;
  /** Whether a finalizer keeps its resource until nothing else is left. */
  held?: boolean;
}

/** A write of a scenario, and what became of the worker at it. */
export interface Struck {
  scenario: string;
  number: number;
  write: string;
  how: string;
  /** What the write was answered when a worker that had been stopped sent it late. */
  answer?: string;
}

/** The cluster of that name, or the only one. Throws where there is none. */
export function subjectOf({ subjects }: Scene, name: string): Subject {
  const subject = subjects.get(name);
  if (subject === undefined) throw new Error(`the plan has not made a cluster ${name} by then`);
  return subject;
}

/** The name of the cluster where a plan names none. */
export const onlyCluster = 'a';

/** The kinds of what a cluster owns, as kubectl takes them. */
export const ownedKinds = 'pods,services,persistentvolumeclaims,poddisruptionbudgets';
