import type { Registry } from '../api/registry.ts';
import type { Store } from '../store.ts';
import { startBudgets } from './budgets.ts';
import { startClaims } from './claims.ts';
import { startDefinitions } from './definitions.ts';
import { startEndpoints } from './endpoints.ts';
import { startEvents } from './events.ts';
import { startGarbage } from './garbage.ts';
import { startNamespaces } from './namespaces.ts';

/** Starts every control loop of the sandbox. They only listen to the store and the clock, and write to the store. */
export function startControllers(store: Store, registry: Registry, now: () => Date): { close(): void } {
  const stops = [
    startDefinitions(store, registry),
    startNamespaces(store, registry),
    startGarbage(store, registry),
    startClaims(store),
    startEndpoints(store),
    startBudgets(store),
    startEvents(store, now),
  ];
  return {
    close: () => {
      for (const stop of stops) stop();
    },
  };
}
