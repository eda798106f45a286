import { z } from 'zod';
import { defaultLimits, type StreamLimits, type StreamName } from './streams.ts';

const hourMs = 3_600_000;
const mebibyte = 1024 * 1024;

const hours = (stream: StreamName, what: string) =>
  z.coerce
    .number()
    .min(1)
    .default(defaultLimits[stream].maxAgeMs / hourMs)
    .describe(`How long ${what} are kept, in hours. The same for all services.`);

const mebibytes = (stream: StreamName, what: string) =>
  z.coerce
    .number()
    .int()
    .min(1)
    .default(defaultLimits[stream].maxBytes / mebibyte)
    .describe(
      `How much of ${what} is kept, in MiB, the oldest going first; NATS reserves that much disk. The same for all services.`,
    );

/** How far back the streams go, by age and by size, whichever comes first. */
export const retentionSettings = z.object({
  QUORATE_EVENTS_HOURS: hours('events', 'events'),
  QUORATE_EVENTS_MIB: mebibytes('events', 'the events'),
  QUORATE_DECISIONS_HOURS: hours('decisions', 'decision records'),
  QUORATE_DECISIONS_MIB: mebibytes('decisions', 'the decision records'),
  QUORATE_REPEATS_HOURS: hours('repeats', 'counts of repeated decisions'),
  QUORATE_REPEATS_MIB: mebibytes('repeats', 'the counts of repeated decisions'),
});

export function retentionOf(config: z.infer<typeof retentionSettings>): Record<StreamName, StreamLimits> {
  const limits = (ageHours: number, sizeMebibytes: number): StreamLimits => ({
    maxAgeMs: ageHours * hourMs,
    maxBytes: sizeMebibytes * mebibyte,
  });
  return {
    events: limits(config.QUORATE_EVENTS_HOURS, config.QUORATE_EVENTS_MIB),
    decisions: limits(config.QUORATE_DECISIONS_HOURS, config.QUORATE_DECISIONS_MIB),
    repeats: limits(config.QUORATE_REPEATS_HOURS, config.QUORATE_REPEATS_MIB),
    dead: defaultLimits.dead,
  };
}
