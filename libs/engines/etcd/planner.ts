import type { Engine } from '../../engine/contract.ts';
import { version } from './behaviour.ts';
import type { EtcdFacts } from './facts.ts';
import { margin } from './margin.ts';
import { plan } from './plan.ts';
import { type EtcdSpec, etcdResource } from './resource.ts';
import { roles } from './roles.ts';
import { simulate } from './simulate/simulation.ts';

/** All of the engine that only thinks: what decides, tells and foresees, and can touch nothing. */
export const etcdPlanner: Omit<Engine<EtcdSpec, EtcdFacts>, 'owned' | 'observe' | 'steps'> = {
  name: 'etcd',
  version,
  resource: etcdResource,
  plan,
  roles,
  margin,
  simulate,
};
