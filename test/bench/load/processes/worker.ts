import type { Engine } from '../../../../libs/engine/contract.ts';
import { runService } from '../../../../libs/service/run.ts';
import { workerService } from '../../../../services/worker/service.ts';
import { workerSettings } from '../../../../services/worker/settings.ts';
import { benchmarkEngine } from '../engine/engine.ts';

/** The worker with the engine of the benchmark and no other. */
await runService('worker', workerSettings, workerService([benchmarkEngine as Engine]));
