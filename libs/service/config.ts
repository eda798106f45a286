import { accessSync, constants } from 'node:fs';
import { hostname } from 'node:os';
import { z } from 'zod';
import { QuorateError } from '../errors/catalogue.ts';
import { traceSettings } from './trace-settings.ts';

/** One or more URLs of these schemes, separated by commas. */
const urls = (...schemes: string[]) =>
  z
    .string()
    .refine(
      (text) => text.split(',').every((url) => schemes.includes(URL.parse(url.trim())?.protocol ?? '')),
      `use a URL that begins with ${schemes.map((scheme) => `${scheme}//`).join(' or ')}`,
    );

const file = (description: string) =>
  z.string().refine(isReadable, 'cannot be read').optional().describe(description);

function isReadable(path: string): boolean {
  try {
    accessSync(path, constants.R_OK);
    return true;
  } catch {
    return false;
  }
}

/** How to reach NATS. */
export const natsSettings = z.object({
  NATS_URL: urls('nats:', 'tls:')
    .default('nats://127.0.0.1:4222')
    .describe(
      'URLs of the NATS servers, separated by commas. With `tls://`, or with `NATS_CA` or `NATS_CERT`, the connection is encrypted or not made.',
    ),
  NATS_USER: z.string().optional().describe('Name of the user.'),
  NATS_PASSWORD: z.string().optional().describe('Password of the user. Secret.'),
  NATS_TOKEN: z.string().optional().describe('Token, instead of user and password. Secret.'),
  NATS_CREDS: file('Path of a credentials file (JWT and seed), as `nsc generate creds` writes it.'),
  NATS_CA: file(
    'Path of the certificates (PEM) of who may vouch for the server; by default, those that Node knows.',
  ),
  NATS_CERT: file('Path of the certificate (PEM) that this client shows to the server.'),
  NATS_KEY: file('Path of the private key (PEM) of that certificate.'),
});

/** How to reach Redis. */
export const redisSettings = z.object({
  REDIS_URL: urls('redis:', 'rediss:')
    .default('redis://127.0.0.1:6379')
    .describe('URL of the Redis server; with `rediss://` the connection is encrypted.'),
  REDIS_USERNAME: z
    .string()
    .optional()
    .describe('Name of the user; not needed where only a password is set.'),
  REDIS_PASSWORD: z.string().optional().describe('Password. Secret.'),
  REDIS_CA: file(
    'Path of the certificates (PEM) of who may vouch for the server; by default, those that Node knows.',
  ),
  REDIS_CERT: file('Path of the certificate (PEM) that this client shows to the server.'),
  REDIS_KEY: file('Path of the private key (PEM) of that certificate.'),
});

/** What the id of a kube may be: a part of subjects, of names of queues and of labels. */
export const kubeIdPattern = /^[a-z0-9][a-z0-9-]*$/;

/** The settings that every service shares. All come from the environment; each has a working default. */
export const settings = z.object({
  QUORATE_KUBE: z
    .string()
    .regex(kubeIdPattern, 'use lower-case letters, digits and dashes')
    .default('local')
    .describe(
      'Id of the Kubernetes cluster that the services work in, as it appears in subjects and records.',
    ),
  QUORATE_KUBES_NAMESPACE: z
    .string()
    .optional()
    .describe(
      'The namespace whose Secrets with the label `quorate.io/kube` register more Kubernetes clusters (docs/kubes.md); without it there are no others.',
    ),
  QUORATE_KUBE_REQUESTS_PER_SECOND: z.coerce
    .number()
    .positive()
    .default(200)
    .describe(
      'How many requests a second each process sends to the API of one Kubernetes cluster in the long run.',
    ),
  QUORATE_KUBE_BURST: z.coerce
    .number()
    .int()
    .min(1)
    .default(400)
    .describe('How many of these requests may come at once after it was quiet.'),
  QUORATE_NAMESPACES: z
    .string()
    .regex(/^[a-z0-9-]+(\s*,\s*[a-z0-9-]+)*$/, 'use names of namespaces with commas between')
    .transform((text) => [...new Set(text.split(',').map((name) => name.trim()))].sort())
    .optional()
    .describe(
      'Only clusters of these namespaces are looked after, separated by commas; without it, those of every namespace.',
    ),
  QUORATE_INSTANCE: z
    .string()
    // In a container the process has number 1, and the host's name is the pod's.
    .default(process.pid === 1 ? hostname() : `${hostname()}-${process.pid}`)
    .describe('Names this process in records and in the list of NATS connections.'),
  QUORATE_HTTP_PORT: z.coerce
    .number()
    .int()
    .min(0)
    .max(65_535)
    .optional()
    .describe(
      'Port for `/livez`, `/readyz` and `/metrics`; 0 takes a free one and logs it. Without it there is none.',
    ),
  ...natsSettings.shape,
  ...traceSettings.shape,
});

export type Settings = z.infer<typeof settings>;

/**
 * Reads settings of `schema` from `environment`, where an empty one counts as not set; throws CONFIG_INVALID
 * naming each wrong one, never its value.
 */
export function readConfig<Schema extends z.ZodType>(
  schema: Schema,
  environment: Record<string, string | undefined> = process.env,
): z.infer<Schema> {
  const given = Object.entries(environment).filter(([, value]) => value !== undefined && value !== '');
  const read = schema.safeParse(Object.fromEntries(given));
  if (read.success) return read.data;
  const wrong = read.error.issues.map((issue) => `${issue.path.join('.')}: ${issue.message}`);
  throw new QuorateError('CONFIG_INVALID', wrong.join('; '));
}
