import { hostname } from 'node:os';
import { z } from 'zod';
import { QuorateError } from '../errors/catalogue.ts';

/** The settings that every service shares. All come from the environment; each has a working default. */
export const settings = z.object({
  /** The id of the Kubernetes cluster under management, as it appears in subjects and records. */
  QUORATE_KUBE: z
    .string()
    .regex(/^[a-z0-9][a-z0-9-]*$/, 'use lower-case letters, digits and dashes')
    .default('local'),
  /** Names this process in records. */
  QUORATE_INSTANCE: z.string().default(`${hostname()}-${process.pid}`),
  NATS_URL: z.string().default('nats://127.0.0.1:4222'),
  REDIS_URL: z.string().default('redis://127.0.0.1:6379'),
});

/** Reads settings of `schema` from `environment`; throws CONFIG_INVALID naming each wrong one. */
export function readConfig<Schema extends z.ZodType>(
  schema: Schema,
  environment: Record<string, string | undefined> = process.env,
): z.infer<Schema> {
  const read = schema.safeParse(environment);
  if (read.success) return read.data;
  const wrong = read.error.issues.map((issue) => `${issue.path.join('.')}: ${issue.message}`);
  throw new QuorateError('CONFIG_INVALID', wrong.join('; '));
}
