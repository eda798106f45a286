import type { Planner } from '../engine/decide.ts';
import { etcdPlanner } from './etcd/planner.ts';

/** Of every engine that part that only thinks: nothing that can be reached from here touches the world. */
const planners: Planner[] = [etcdPlanner as Planner];

export const plannerOf = (name: string): Planner | undefined =>
  planners.find((planner) => planner.name === name);
