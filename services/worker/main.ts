import { engines } from '../../libs/engines/index.ts';
import { runService } from '../../libs/service/run.ts';
import { workerService } from './service.ts';
import { workerSettings } from './settings.ts';

await runService('worker', workerSettings, workerService(engines));
