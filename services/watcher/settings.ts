import { settings } from '../../libs/service/config.ts';
import { digestSettings } from '../../libs/service/digest-key.ts';

export const watcherSettings = settings.extend(digestSettings.shape);
