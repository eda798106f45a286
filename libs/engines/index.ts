import type { Engine } from '../engine/contract.ts';
import { etcd } from './etcd/index.ts';

/** Every engine that Quorate knows. A new one is added here and nowhere else. */
export const engines: Engine[] = [etcd as Engine];

export const engineOf = (name: string): Engine | undefined => engines.find((engine) => engine.name === name);
