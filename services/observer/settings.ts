import { retentionSettings } from '../../libs/bus/retention.ts';
import { settings } from '../../libs/service/config.ts';

export const observerSettings = settings.extend(retentionSettings.shape);
