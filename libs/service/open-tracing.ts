import type { Log } from './log.ts';
import { createOutage } from './outage.ts';
import { type TraceSettings, traceEndpoint } from './trace-settings.ts';
import { noTracing, type Tracing } from './tracing.ts';
import { version } from './version.ts';

/** The tracing of a service: none, and nothing of OpenTelemetry's loaded, where the settings ask for none. */
export async function openTracing(
  service: string,
  settings: TraceSettings & { QUORATE_INSTANCE: string },
  log: Log,
): Promise<Tracing> {
  const endpoint = traceEndpoint(settings);
  if (endpoint === undefined) return noTracing;
  const { exportTraces } = await import('./trace-export.ts');
  return exportTraces({
    process: {
      'service.namespace': 'quorate',
      'service.name': `quorate-${service}`,
      'service.version': version,
      'service.instance.id': settings.QUORATE_INSTANCE,
    },
    share: settings.OTEL_TRACES_SAMPLER_ARG,
    outage: createOutage(log, 'OpenTelemetry collector', endpoint),
  });
}
