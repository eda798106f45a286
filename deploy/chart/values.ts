import { z } from 'zod';

/**
 * The values of the Helm chart: their types, defaults and descriptions. `values.yaml`, `values.schema.json` and
 * `docs/values.md` are written from here by "npm run generate".
 */

const group = <Shape extends z.ZodRawShape>(description: string, shape: Shape) =>
  z
    .strictObject(shape)
    // Helm merges what is given with the defaults, so an empty group is one with all its defaults.
    .prefault({} as never)
    .describe(description);

const text = (description: string) => z.string().default('').describe(description);

/** Credentials in a URL would be in everybody's sight; they belong into a Secret. */
const url = (pattern: RegExp, description: string) =>
  z.string().regex(pattern).default('').describe(description);

const quantities = z.record(z.string(), z.union([z.string(), z.number()]));

const resources = (requests: Record<string, string>, limits: Record<string, string>) =>
  group('What the container asks for, and the most it gets.', {
    requests: quantities.default(requests).describe('What the scheduler reserves.'),
    limits: quantities
      .default(limits)
      .describe('Above the memory it is restarted, above the CPU slowed down.'),
  });

const image = (repository: string, tag: string, tagDescription = 'Tag.') => ({
  repository: z.string().min(1).default(repository).describe('Image without its tag.'),
  tag: z.string().default(tag).describe(tagDescription),
  pullPolicy: z
    .enum(['Always', 'IfNotPresent', 'Never'])
    .default('IfNotPresent')
    .describe('When nodes fetch the image.'),
});

const persistence = (sizeDescription: string, size: string) =>
  group('The volume of the bundled server.', {
    enabled: z
      .boolean()
      .default(true)
      .describe(
        'Whether it keeps its data on a claim. Without, a new pod begins empty, and Quorate fills it again.',
      ),
    size: z.string().default(size).describe(sizeDescription),
    storageClass: text("Storage class of the claim; empty: the cluster's default."),
  });

const tls = (server: string) =>
  group(`Certificates for TLS to an existing ${server}.`, {
    existingSecret: text(
      'Name of the Secret that holds them. Not needed where a public authority vouches for the server.',
    ),
    caKey: z
      .string()
      .default('ca.crt')
      .describe(
        'Key in the Secret of the authorities (PEM) that may vouch for the server; empty: those of Node.',
      ),
    certKey: text('Key in the Secret of the certificate (PEM) that Quorate shows, for mutual TLS.'),
    keyKey: text('Key in the Secret of the private key (PEM) of that certificate.'),
  });

const nats = group('NATS with JetStream: the message bus.', {
  url: url(
    /^((nats|tls):\/\/[^@,\s]+(,(nats|tls):\/\/[^@,\s]+)*)?$/,
    'URLs of an existing NATS, separated by commas, without credentials: `nats://…`, or `tls://…` for TLS. Empty: one is installed for Quorate, a single pod, for a first try.',
  ),
  auth: group('Credentials for an existing NATS.', {
    existingSecret: text('Name of the Secret that holds them; empty: none are needed.'),
    userKey: text('Key in the Secret of the user name.'),
    passwordKey: text('Key in the Secret of the password.'),
    tokenKey: text('Key in the Secret of a token, instead of user and password.'),
    credsKey: text(
      'Key in the Secret of a credentials file (JWT and seed), as `nsc generate creds` writes it.',
    ),
  }),
  tls: tls('NATS'),
  image: group(
    'Image of the bundled NATS; any that has `nats-server` on its PATH.',
    image('docker.io/library/nats', '2.11.16-alpine'),
  ),
  persistence: persistence('Size of the claim; the streams reserve 2.1 GiB of it.', '4Gi'),
  resources: resources({ cpu: '50m', memory: '64Mi' }, { cpu: '1', memory: '512Mi' }),
});

const redis = group('Redis: the queue of tasks.', {
  url: url(
    /^(rediss?:\/\/[^@,\s]+)?$/,
    'URL of an existing Redis: `redis://…`, or `rediss://…` for TLS, without credentials. It must not evict (maxmemory-policy noeviction). Empty: one is installed for Quorate, a single pod, for a first try.',
  ),
  auth: group('Credentials for an existing Redis.', {
    existingSecret: text('Name of the Secret that holds them; empty: none are needed.'),
    usernameKey: text('Key in the Secret of the user name; not needed where only a password is set.'),
    passwordKey: z.string().default('password').describe('Key in the Secret of the password.'),
  }),
  tls: tls('Redis'),
  image: group(
    'Image of the bundled Redis; any that has `redis-server` on its PATH.',
    image('docker.io/library/redis', '7.2.11-alpine'),
  ),
  persistence: persistence('Size of the claim.', '1Gi'),
  resources: resources({ cpu: '50m', memory: '64Mi' }, { cpu: '1', memory: '256Mi' }),
});

const autoscaling = group('More workers while tasks wait for one.', {
  enabled: z.boolean().default(false).describe('Whether the number of workers follows the load.'),
  kind: z
    .enum(['auto', 'keda', 'hpa'])
    .default('auto')
    .describe(
      '`keda` scales by the tasks that wait in Redis, `hpa` by CPU, `auto` with KEDA where the cluster has it.',
    ),
  minReplicas: z.int().min(1).default(2).describe('The fewest workers.'),
  maxReplicas: z.int().min(1).default(10).describe('The most workers.'),
  waitingTasksPerWorker: z
    .int()
    .min(1)
    .default(20)
    .describe('KEDA adds workers until no more tasks than this wait for each.'),
  cpuPercent: z
    .int()
    .min(1)
    .default(70)
    .describe(
      'A HorizontalPodAutoscaler adds workers until each uses no more than this share of the CPU it requests.',
    ),
});

const replicas = z.int().min(0).default(2);

export const values = z.strictObject({
  image: group("Quorate's image: the same for all services.", {
    ...image('quorate', '', "Tag; empty: the version of the chart's application."),
    pullSecrets: z
      .array(z.strictObject({ name: z.string() }))
      .default([])
      .describe('Secrets of the registry, as `[{name: …}]`; the bundled NATS and Redis use them as well.'),
  }),
  kubeId: z
    .string()
    .regex(/^[a-z0-9][a-z0-9-]*$/)
    .default('local')
    .describe(
      'Id of this Kubernetes cluster in events and records. Give each its own where several share NATS or Redis.',
    ),
  kubes: group('The Kubernetes clusters that are looked after: this one, and more of them (docs/kubes.md).', {
    enabled: z
      .boolean()
      .default(false)
      .describe(
        "Whether Secrets in the release's namespace register more; the services may then read the Secrets there.",
      ),
    requestsPerSecond: z
      .number()
      .positive()
      .default(200)
      .describe('How many requests a second each pod sends to the API of one cluster in the long run.'),
    burst: z
      .int()
      .min(1)
      .default(400)
      .describe('How many of these requests may come at once after it was quiet.'),
  }),
  namespaces: z
    .array(z.string().regex(/^[a-z0-9]([a-z0-9-]*[a-z0-9])?$/))
    .default([])
    .describe(
      'Only clusters of these namespaces, which must exist, are looked after, and rights are given there only. Empty: clusters of every namespace.',
    ),
  clusterWide: z
    .enum(['all', 'annotated'])
    .default('all')
    .describe(
      'Which clusters are looked after where `namespaces` is empty: `all`, or `annotated`, only those with the annotation `etcd.database.coreos.com/scope: clusterwide`, beside releases for single namespaces, which leave these alone.',
    ),
  logLevel: z
    .enum(['debug', 'info', 'warn', 'error'])
    .default('info')
    .describe('How much the services log; `info` is quiet while all is well.'),
  digestKey: group('The key by which secrets are told apart in events and records, which never hold them.', {
    existingSecret: text(
      'Name of a Secret that holds it. Empty: each process makes up its own, and a secret that stays the same looks changed from one process to the next.',
    ),
    key: z
      .string()
      .default('digest-key')
      .describe('Key in that Secret; its value has 16 characters or more.'),
  }),
  watcher: group('Watcher: Kubernetes → events.', {
    replicas: replicas.describe(
      'Pods. Two do the same work at once, and NATS keeps one copy: none waits for the other to fail.',
    ),
    resources: resources({ cpu: '50m', memory: '160Mi' }, { cpu: '1', memory: '512Mi' }),
  }),
  worker: group('Worker: events → tasks → changes.', {
    replicas: replicas.describe('Pods, where autoscaling is off. Each takes tasks as it has hands free.'),
    concurrency: z
      .int()
      .min(1)
      .max(1000)
      .default(20)
      .describe('How many database clusters one worker looks after at once.'),
    autoscaling,
    resources: resources({ cpu: '100m', memory: '160Mi' }, { cpu: '2', memory: '512Mi' }),
  }),
  observer: group('Observer: records → status and Kubernetes Events.', {
    replicas: replicas.describe('Pods. They share the records between them, whatever their number.'),
    resources: resources({ cpu: '50m', memory: '160Mi' }, { cpu: '1', memory: '512Mi' }),
  }),
  nats,
  redis,
  crds: group('The CustomResourceDefinitions of the database clusters.', {
    install: z
      .boolean()
      .default(true)
      .describe(
        'Whether they are part of this release. They stay, with all clusters, when it is uninstalled.',
      ),
  }),
  podDisruptionBudgets: group(
    'Budgets of the services: draining a node takes one pod of a service at a time.',
    {
      enabled: z.boolean().default(true).describe('Whether to make them.'),
    },
  ),
  networkPolicies: group('Who may talk to whom; where the network plugin enforces NetworkPolicies.', {
    enabled: z.boolean().default(true).describe('Whether to make them: all else is denied, in and out.'),
    apiServerPorts: z
      .array(z.int().min(1).max(65_535))
      .default([443, 6443])
      .describe('Ports of the Kubernetes API, as its service names it and as it listens.'),
  }),
  serviceMonitor: group('Metrics for the Prometheus operator.', {
    enabled: z
      .boolean()
      .default(false)
      .describe('Whether to make a ServiceMonitor; its kind must be installed.'),
    interval: z.string().default('30s').describe('How often to scrape.'),
    labels: z
      .record(z.string(), z.string())
      .default({})
      .describe('Labels by which your Prometheus selects ServiceMonitors.'),
  }),
  tracing: group('Traces for OpenTelemetry: what became of a change, from service to service.', {
    endpoint: url(
      /^(https?:\/\/[^@,\s]+)?$/,
      'URL of a collector that takes OTLP over HTTP, e.g. `http://collector.monitoring:4318`. Empty: no traces.',
    ),
    share: z.number().min(0).max(1).default(1).describe('How many of the traces are kept, from 0 to 1.'),
    existingSecret: text(
      'Name of a Secret with headers that the collector asks for; empty: it asks for none.',
    ),
    headersKey: z
      .string()
      .default('headers')
      .describe('Key in that Secret; its value is `name=value`, with commas between.'),
  }),
  runAsUser: z
    .union([z.int().min(1), z.null()])
    .default(65_532)
    .describe('User and group of all containers. `null` on OpenShift, which chooses them itself.'),
  nodeSelector: z
    .record(z.string(), z.string())
    .default({})
    .describe('Only nodes with these labels run pods of this release.'),
  tolerations: z
    .array(z.record(z.string(), z.unknown()))
    .default([])
    .describe('Taints that pods of this release tolerate, as in a pod.'),
  global: z
    .record(z.string(), z.unknown())
    .optional()
    .describe('Not used; Helm puts it here where this chart is part of another.'),
});
