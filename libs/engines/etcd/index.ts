import type { Engine } from '../../engine/contract.ts';
import { resourceTypes } from '../../kube/object.ts';
import type { EtcdFacts } from './facts.ts';
import { margin } from './margin.ts';
import { observe } from './observe.ts';
import { plan } from './plan.ts';
import { type EtcdSpec, etcdResource } from './resource.ts';
import { roles } from './roles.ts';
import { simulate } from './simulate/simulation.ts';
import { steps } from './steps.ts';

/**
 * etcd, as data and functions. To learn how etcd is operated, read plan.ts: the situations in the order in
 * which they are looked for, each in a file of `situations/`.
 */
export const etcd: Engine<EtcdSpec, EtcdFacts> = {
  name: 'etcd',
  version: 2,
  resource: etcdResource,
  owned: [resourceTypes.pod, resourceTypes.claim, resourceTypes.service, resourceTypes.budget],
  observe,
  plan,
  roles,
  margin,
  simulate,
  steps,
};
