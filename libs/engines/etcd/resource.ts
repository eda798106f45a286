import { z } from 'zod';
import type { ResourceDefinition } from '../../engine/contract.ts';
import type { ResourceType } from '../../kube/object.ts';

/**
 * The EtcdCluster resource: the API of the archived coreos etcd-operator (`etcd.database.coreos.com/v1beta2`),
 * so that its users can switch without editing a file. Every field carries the sentence `kubectl explain` shows.
 */

const strings = z.record(z.string(), z.string());
/** A part of the Kubernetes API that is passed on as it is; the API server checks it when the pod is made. */
const passedOn = z.looseObject({});

/** Labels that Quorate sets itself; a user's pod label of that name would break selection. */
const isReservedLabel = (label: string) =>
  label === 'app' ||
  label.startsWith('etcd_') ||
  label.startsWith('quorate.io/') ||
  label === 'app.kubernetes.io/managed-by';

const podPolicy = z
  .object({
    labels: strings
      .refine((labels) => !Object.keys(labels).some(isReservedLabel), {
        error: (issue) =>
          `labels "app", "etcd_…", "quorate.io/…" and "app.kubernetes.io/managed-by" are reserved: remove ${Object.keys(
            issue.input as object,
          )
            .filter(isReservedLabel)
            .sort()
            .join(', ')}`,
      })
      .optional()
      .describe(
        'Labels added to each member pod. "app", "etcd_*", "quorate.io/*" and "app.kubernetes.io/managed-by" are reserved.',
      ),
    annotations: strings.optional().describe('Annotations added to each member pod.'),
    nodeSelector: strings.optional().describe('Only nodes with these labels run members.'),
    affinity: passedOn.optional().describe('Scheduling affinity of the member pods, as in a pod.'),
    antiAffinity: z
      .boolean()
      .optional()
      .describe(
        'Never two members of this cluster on one node. Short for a required pod anti-affinity by host name.',
      ),
    tolerations: z.array(passedOn).optional().describe('Tolerations of the member pods, as in a pod.'),
    resources: passedOn.optional().describe('Requests and limits of the etcd container, as in a container.'),
    etcdEnv: z
      .array(z.looseObject({ name: z.string().min(1).describe('The name of the variable.') }))
      .optional()
      .describe(
        'Environment of the etcd container; ETCD_… variables configure etcd where Quorate sets no flag.',
      ),
    securityContext: passedOn.optional().describe('Security context of the member pods, as in a pod.'),
    persistentVolumeClaimSpec: passedOn
      .optional()
      .describe(
        'A claim of this spec is made for each member, and a member whose pod is lost returns with its data. Without it a member lives as long as its pod.',
      ),
    busyboxImage: z
      .string()
      .optional()
      .describe('Accepted for compatibility; no init container is needed, so it is not used.'),
    DNSTimeoutInSecond: z
      .number()
      .int()
      .min(0)
      .optional()
      .describe('Accepted for compatibility; etcd itself waits for its name to resolve, so it is not used.'),
    ClusterDomain: z
      .string()
      .regex(/^[a-z0-9.-]*$/)
      .optional()
      .describe(
        'Appended to the members\' names, e.g. "cluster.local" for <member>.<cluster>.<namespace>.svc.cluster.local.',
      ),
  })
  .describe(
    'How the pods of the members are made. Changes apply to pods made from then on; pods that were never scheduled and claims that were never bound are made again.',
  );

export const etcdSpec = z.object({
  size: z
    .number()
    .int()
    .min(1)
    .max(7)
    .describe('The number of members wanted, 1 to 7. Odd numbers survive more: 3 lose one, 5 lose two.'),
  repository: z
    .string()
    .min(1)
    .default('quay.io/coreos/etcd')
    .describe('The image of the members without its tag; the tag is "v" and the version.'),
  version: z
    .string()
    .regex(/^v?[0-9]+\.[0-9]+\.[0-9]+([-+.][0-9A-Za-z.+-]+)?$/)
    .default('3.2.13')
    .describe('The version of etcd, e.g. "3.4.23".'),
  paused: z
    .boolean()
    .default(false)
    .describe('While true, Quorate leaves everything of this cluster as it is.'),
  pod: podPolicy.optional(),
});

export type EtcdSpec = z.infer<typeof etcdSpec>;

const conditionSchema = z.object({
  type: z
    .string()
    .describe(
      'Available, Recovering, Scaling, Upgrading, SpecApplied (False names the fields that running members were not made with), Degraded (something outside of etcd hinders the cluster: NodeNotReady, PodTerminating, ClaimPending, Unschedulable, ImagePull, ContainerFailing or PodFailed) or Blocked (Quorate cannot or will not go on: a rule of its own, or QuotaExceeded, AdmissionRefused, WebhookFailed, SpecUnfit or Refused).',
    ),
  status: z.enum(['True', 'False', 'Unknown']).describe('Whether the condition holds.'),
  reason: z.string().optional().describe('The situation in one word.'),
  message: z.string().optional().describe('The situation in one sentence.'),
  lastTransitionTime: z.string().optional().describe('Since when the status is what it is.'),
  lastUpdateTime: z.string().optional().describe('When anything of this condition changed last.'),
  observedGeneration: z
    .number()
    .int()
    .optional()
    .describe('The generation of the resource that this was seen for.'),
});

export const etcdStatus = z.object({
  phase: z
    .enum(['Creating', 'Running', 'Failed'])
    .optional()
    .describe('Creating until all first members answer; Failed while quorum is lost; else Running.'),
  reason: z.string().optional().describe('Why the phase is Failed.'),
  controlPaused: z
    .boolean()
    .optional()
    .describe('Whether Quorate leaves the cluster alone because spec.paused asks it to.'),
  conditions: z.array(conditionSchema).optional().describe('What holds at present, one entry a type.'),
  size: z.number().int().optional().describe('The number of voting members that etcd itself lists.'),
  serviceName: z.string().optional().describe('The service for clients.'),
  clientPort: z.number().int().optional().describe('The port for clients.'),
  members: z
    .object({
      ready: z.array(z.string()).optional().describe('Members that answer and reach quorum.'),
      unready: z.array(z.string()).optional().describe('Members that do not answer, or do not vote yet.'),
    })
    .optional()
    .describe('The members by name.'),
  readyMembers: z.number().int().optional().describe('How many members are ready.'),
  currentVersion: z.string().optional().describe('The version that all members have at least.'),
  targetVersion: z.string().optional().describe('The version being upgraded to; absent when none is.'),
  observedGeneration: z
    .number()
    .int()
    .optional()
    .describe('The generation of the resource that this status is about.'),
});

export const etcdResource = {
  group: 'etcd.database.coreos.com',
  version: 'v1beta2',
  kind: 'EtcdCluster',
  plural: 'etcdclusters',
  singular: 'etcdcluster',
  shortNames: ['etcd'],
  categories: ['all', 'quorate'],
  description: 'A cluster of etcd, the consistent key-value store, kept running by Quorate.',
  clusterWide: { annotation: 'etcd.database.coreos.com/scope', value: 'clusterwide' },
  spec: etcdSpec,
  status: etcdStatus,
  printerColumns: [
    { name: 'Size', type: 'integer', jsonPath: '.spec.size', description: 'Members wanted.' },
    {
      name: 'Ready',
      type: 'integer',
      jsonPath: '.status.readyMembers',
      description: 'Members that answer and reach quorum.',
    },
    {
      name: 'Version',
      type: 'string',
      jsonPath: '.status.currentVersion',
      description: 'The version that runs.',
    },
    { name: 'Phase', type: 'string', jsonPath: '.status.phase', description: 'Creating, Running or Failed.' },
    {
      name: 'Reason',
      type: 'string',
      jsonPath: '.status.reason',
      description: 'Why it failed.',
      priority: 1,
    },
    {
      name: 'Age',
      type: 'date',
      jsonPath: '.metadata.creationTimestamp',
      description: 'Since when it exists.',
    },
  ],
  scale: { specReplicasPath: '.spec.size', statusReplicasPath: '.status.size' },
} satisfies ResourceDefinition;

export const etcdResourceType: ResourceType = {
  group: etcdResource.group,
  version: etcdResource.version,
  kind: etcdResource.kind,
  plural: etcdResource.plural,
  namespaced: true,
};
