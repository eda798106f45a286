import { retentionSettings } from '../../libs/bus/retention.ts';
import { settings } from '../../libs/service/config.ts';
import { digestSettings } from '../../libs/service/digest-key.ts';

export const watcherSettings = settings.extend({ ...retentionSettings.shape, ...digestSettings.shape });
