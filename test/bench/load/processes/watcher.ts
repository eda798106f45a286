import { runService } from '../../../../libs/service/run.ts';
import { watcherService } from '../../../../services/watcher/service.ts';
import { watcherSettings } from '../../../../services/watcher/settings.ts';
import { benchmarkEngine } from '../engine/engine.ts';

/** The watcher with the engine of the benchmark and no other. */
await runService('watcher', watcherSettings, watcherService([benchmarkEngine]));
