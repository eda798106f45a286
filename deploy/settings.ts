import { z } from 'zod';
import { natsSettings, redisSettings, settings } from '../libs/service/config.ts';
import { traceSettings } from '../libs/service/trace-settings.ts';
import { watcherSettings } from '../services/watcher/settings.ts';
import { workerSettings } from '../services/worker/settings.ts';

type Shape = Record<string, z.ZodType>;

const aboutTraces =
  "Of every service; see [traces](traces.md). What else OpenTelemetry's exporter reads from the environment counts as well: `OTEL_RESOURCE_ATTRIBUTES`, `OTEL_EXPORTER_OTLP_TIMEOUT`, `OTEL_EXPORTER_OTLP_CERTIFICATE` and so on.";

const sections: [title: string, about: string, shape: Shape][] = [
  ['Every service', '', without(settings.shape, { ...natsSettings.shape, ...traceSettings.shape })],
  ['NATS', 'Of every service.', natsSettings.shape],
  ['Redis', 'Of the worker.', redisSettings.shape],
  ['Traces', aboutTraces, traceSettings.shape],
  ['Watcher', '', without(watcherSettings.shape, settings.shape)],
  ['Worker', '', without(workerSettings.shape, { ...settings.shape, ...redisSettings.shape })],
];

/** `docs/settings.md`: every setting of the services, from the schemas that read them. */
export function settingsMarkdown(): string {
  const parts = sections.map(([title, about, shape]) => {
    const rows = Object.entries(shape).map(([name, field]) => {
      const { description = '', default: standard } = z.toJSONSchema(field, { io: 'input' });
      return `| \`${name}\` | ${shown(name, standard)} | ${description} |`;
    });
    const table = ['| | Default | |', '|---|---|---|', ...rows].join('\n');
    return [`## ${title}`, about, table].filter((part) => part !== '').join('\n\n');
  });
  return `${introduction}\n${parts.join('\n\n')}\n`;
}

const introduction = `<!-- Generated from the settings' schemas by "npm run generate". -->

# Settings

The services read their settings from the environment; the Helm chart sets them from its [values](values.md). One
that is empty counts as not set. A wrong one ends the service at its start, with a line that names it and never
shows its value. The secret ones are marked: give them from a Secret. Files are read again at every new connection,
so renewed certificates are taken without a restart.

The Kubernetes API is found as kubectl finds it: by \`KUBECONFIG\`, \`~/.kube/config\`, or in a pod by its service
account. \`LOG_LEVEL\` is one of \`debug\`, \`info\` (the default), \`warn\` and \`error\`.
`;

/** The default as it is written, but for the one that differs from process to process. */
function shown(name: string, standard: unknown): string {
  if (name === 'QUORATE_INSTANCE') return 'the name of the host, which is the name of the pod';
  return standard === undefined ? '' : `\`${standard}\``;
}

function without(shape: Shape, others: Shape): Shape {
  return Object.fromEntries(Object.entries(shape).filter(([name]) => !(name in others)));
}
