import type { Registry } from 'prom-client';
import type { z } from 'zod';
import { readConfig, type Settings } from './config.ts';
import { createHealth, type Health } from './health.ts';
import { serveHttp } from './http.ts';
import { createMetrics } from './metrics.ts';
import { openTracing } from './open-tracing.ts';
import { type ProcessContext, runProcess } from './process.ts';
import type { Tracing } from './tracing.ts';
import { version } from './version.ts';

export interface ServiceContext<Config> extends ProcessContext {
  config: Config;
  health: Health;
  metrics: Registry;
  tracing: Tracing;
}

/** What a service does until its signal is aborted, with settings as its schema reads them. */
export type Service<Schema extends z.ZodType> = (context: ServiceContext<z.infer<Schema>>) => Promise<void>;

/**
 * Runs one service as this process, as `runProcess` does: with its settings, read from the environment, and with
 * its health and metrics served where a port is set. Asked for its `--version`, it prints that and ends.
 */
export async function runService<Schema extends z.ZodType<Settings>>(
  name: string,
  schema: Schema,
  main: Service<Schema>,
): Promise<void> {
  if (process.argv.includes('--version')) {
    console.log(version);
    return;
  }
  await runProcess(name, async ({ log, signal }) => {
    const config = readConfig(schema);
    const metrics = createMetrics(name);
    const health = createHealth();
    signal.addEventListener('abort', health.stopping);
    const { QUORATE_KUBE: kube, QUORATE_INSTANCE: instance, QUORATE_HTTP_PORT: wantedPort } = config;
    const httpPort = wantedPort === undefined ? undefined : await serveHttp(wantedPort, health, metrics);
    log.info({ version, kube, instance, httpPort }, 'service started');
    const tracing = await openTracing(name, config, log);
    try {
      await main({ config, log, signal, health, metrics, tracing });
    } finally {
      await tracing.close();
    }
  });
}
