import type { z } from 'zod';
import type { ResourceDefinition } from '../kube/definition.ts';
import type { ClusterKey } from '../kube/key.ts';
import type { Kube, ReadableKube } from '../kube/kube.ts';
import { type KubeObject, labels, type ResourceType } from '../kube/object.ts';

export type { ResourceDefinition } from '../kube/definition.ts';

/**
 * The contract of an engine: the knowledge of one application as data and functions.
 *
 * A pass runs them in this order: `observe` gathers facts, `plan` decides, the steps of the plan act. Only
 * `observe` and the steps may do I/O; `plan` is pure, so that a recorded decision can be replayed:
 * plan(recorded facts) equals the recorded plan for the same `version` of the engine.
 */
export interface Engine<Spec = unknown, Facts = unknown> {
  /** The first part of every key, e.g. `etcd`. */
  name: string;
  /** Raised whenever a plan may decide differently from before for the same facts. */
  version: number;
  resource: ResourceDefinition & { spec: z.ZodType<Spec> };
  /** The kinds of object it makes; the watcher follows them by Quorate's labels. */
  owned: ResourceType[];
  observe(context: ObserveContext): Promise<Facts>;
  /**
   * `spec` is `undefined` where the resource is gone. `asVersion` is the version of the engine to decide as, by
   * default the present one; an older one replays what that decided.
   */
  plan(spec: Spec | undefined, facts: Facts, nowMs: number, asVersion?: number): Plan;
  /** Without it, a cluster at rest gets passes where it could be looked at, see look.ts. */
  look?: Look<Facts>;
  /** What each member was in these facts, for people and in a word of the application's own, by pod name. */
  roles?(facts: Facts): Record<string, string>;
  /** How much more the application could lose and still serve, in these facts; `undefined` where nobody can tell. */
  margin?(facts: Facts): Margin | undefined;
  /**
   * A world of its own that begins as these facts say, to see ahead what a plan leads to: pure, and apart from the
   * real one. `undefined` where the facts could not be read. What is stuck or silent in the facts stays so, unless a
   * step mends it; nothing else happens from outside.
   */
  simulate?(spec: Spec | undefined, facts: Facts, nowMs: number): Simulation<Facts> | undefined;
  /** The steps a plan can name. Each is idempotent and checks its own precondition on fresh evidence. */
  steps: Record<string, StepAction>;
}

/** How to ask the members of a cluster at rest whether they are as they were. */
export interface Look<Facts = unknown> {
  /**
   * By the member's name, where it answers and what it said in these facts. `undefined` where anything in them might
   * change that neither an event nor the answer of one of these members tells: then only a pass will do. Pure.
   */
  answers(facts: Facts): Record<string, { address: string; answer: unknown }> | undefined;
  /** What the member there says now, as it stands in facts. It may reject where there is no answer. */
  ask(address: string, signal: AbortSignal): Promise<unknown>;
}

/** The members that count for serving: with fewer than `needed` of them the application does not serve. */
export interface Margin {
  /** How many serve. */
  serving: number;
  of: number;
  needed: number;
  /** The names of those that do not serve. */
  away: string[];
}

/** A simulated world, see `Engine.simulate`. */
export interface Simulation<Facts = unknown> {
  /** What an observation would find at present. */
  facts(): Facts;
  nowMs(): number;
  /** Does what the step is expected to do, with the preconditions that the real one checks. */
  act(step: Step): StepOutcome['outcome'] | 'failed';
  /** Lets a moment pass, half a second or so. */
  tick(): void;
}

/** An answer that can fail. "Could not read" can never look like "is not there". */
export type Answer<Value> = { ok: true; value: Value } | { ok: false; error: string };

export interface ObserveContext {
  key: ClusterKey;
  kube: ReadableKube;
  resource: KubeObject | undefined;
  signal: AbortSignal;
}

export interface ActContext {
  key: ClusterKey;
  kube: Kube;
  /** Aborted when this worker no longer holds the task: nothing more may be written. */
  signal: AbortSignal;
}

/** What a step found or did. `moved`: its precondition no longer holds, so the pass stops and looks again. */
export type StepOutcome =
  | { outcome: 'done'; detail?: string; object?: TouchedObject }
  | { outcome: 'nothing'; detail: string }
  | { outcome: 'moved'; detail: string };

/** The very object of Kubernetes that a step made, changed or deleted. */
export interface TouchedObject {
  kind: string;
  name: string;
  uid: string;
}

// Each step knows the type of its own arguments; the table holds them all, so the parameter is contravariant.
// biome-ignore lint/suspicious/noExplicitAny: `never` would make the table uncallable, `unknown` unfillable.
export type StepAction = (args: any, context: ActContext) => Promise<StepOutcome>;

export interface Step {
  /** A name in the engine's table of steps. */
  step: string;
  /** What is done to what and why, as a person would write it in a log. */
  why: string;
  /** Plain JSON. */
  args: unknown;
  /** Takes a member, a vote or data away for a while or for good: at most one in a plan, and the last but for preparations. */
  disruptive?: true;
}

/** Why the plan will not go on, in the four parts a person needs; "since when" is the condition's transition time. */
export interface Blocked {
  rule: string;
  evidence: string;
  action: string;
}

/** A Kubernetes condition without its times, which the observer keeps. */
export interface Condition {
  type: string;
  status: 'True' | 'False' | 'Unknown';
  reason: string;
  message: string;
}

export interface Plan {
  /** The situation the facts were classified as, e.g. `QuorumLost`. */
  reason: string;
  /** The same in one sentence, with names and numbers. */
  message: string;
  steps: Step[];
  /** The status of the custom resource; `undefined` where there is no resource to write it to. */
  status: ClusterStatus | undefined;
  /** A pass, or for a cluster at rest a look, is due after this long, in milliseconds, if no event comes first. */
  requeueAfterMs?: number;
  blocked?: Blocked;
}

export interface ClusterStatus {
  conditions: Condition[];
  [field: string]: unknown;
}

/** The labels by which everything of one cluster is found. */
export function labelsOf(key: ClusterKey): Record<string, string> {
  return {
    [labels.managedBy]: labels.managedByValue,
    [labels.engine]: key.engine,
    [labels.cluster]: key.name,
  };
}
