import type { Log } from '../../service/log.ts';
import type { Faults } from '../faults.ts';
import type { Runtime } from '../runtime.ts';
import type { Store } from '../store.ts';
import type { History } from './history.ts';
import type { Registry } from './registry.ts';

/** What every verb of the API works with. */
export interface ApiContext {
  store: Store;
  registry: Registry;
  history: History;
  faults: Faults;
  runtime: Runtime;
  log: Log;
  now(): Date;
}
