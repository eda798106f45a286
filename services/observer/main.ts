import { engines } from '../../libs/engines/index.ts';
import { runService } from '../../libs/service/run.ts';
import { observerService } from './service.ts';
import { observerSettings } from './settings.ts';

await runService('observer', observerSettings, observerService(engines));
