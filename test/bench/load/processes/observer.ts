import type { Engine } from '../../../../libs/engine/contract.ts';
import { runService } from '../../../../libs/service/run.ts';
import { observerService } from '../../../../services/observer/service.ts';
import { observerSettings } from '../../../../services/observer/settings.ts';
import { benchmarkEngine } from '../engine/engine.ts';

/** The observer with the engine of the benchmark and no other. */
await runService('observer', observerSettings, observerService([benchmarkEngine as Engine]));
