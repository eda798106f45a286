import type { Engine } from '../../engine/contract.ts';
import { resourceTypes } from '../../kube/object.ts';
import type { EtcdFacts } from './facts.ts';
import { look } from './look.ts';
import { observe } from './observe.ts';
import { etcdPlanner } from './planner.ts';
import type { EtcdSpec } from './resource.ts';
import { steps } from './steps.ts';

/**
 * etcd, as data and functions. To learn how etcd is operated, read plan.ts: the situations in the order in
 * which they are looked for, each in a file of `situations/`.
 */
export const etcd: Engine<EtcdSpec, EtcdFacts> = {
  ...etcdPlanner,
  owned: [resourceTypes.pod, resourceTypes.claim, resourceTypes.service, resourceTypes.budget],
  observe,
  look,
  steps,
};
