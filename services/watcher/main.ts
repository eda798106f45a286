import { engines } from '../../libs/engines/index.ts';
import { runService } from '../../libs/service/run.ts';
import { watcherService } from './service.ts';
import { watcherSettings } from './settings.ts';

await runService('watcher', watcherSettings, watcherService(engines));
