import type { Log } from '../../service/log.ts';
import type { Faults } from '../faults.ts';
import type { NodeFaults } from '../node-faults.ts';
import type { Runtime } from '../runtime.ts';
import type { Store } from '../store.ts';
import type { History } from './history.ts';
import type { OpenApiV2 } from './openapi-v2.ts';
import type { Registry } from './registry.ts';
import type { Traffic } from './traffic.ts';

/** What every verb of the API works with. */
export interface ApiContext {
  store: Store;
  registry: Registry;
  openApiV2: OpenApiV2;
  history: History;
  faults: Faults;
  traffic: Traffic;
  runtime: Runtime;
  node: NodeFaults;
  log: Log;
  now(): Date;
}
