import { type Answer, labelsOf, type ObserveContext } from '../../engine/contract.ts';
import { messageOf } from '../../errors/catalogue.ts';
import { type KubeObject, labels, type ResourceType, resourceTypes } from '../../kube/object.ts';
import { connectEtcd } from './client/client.ts';
import {
  type ClaimFact,
  type EtcdFacts,
  isFinished,
  type MemberFact,
  type OwnedFact,
  type PodFact,
  type ResourceFact,
  type ServiceFact,
} from './facts.ts';
import { identityAnnotation, parseIdentity } from './identity.ts';
import { clientPort } from './names.ts';
import { serviceShape } from './objects.ts';

/** How long one member may take to answer, in milliseconds; a frozen one costs a pass this much. */
const answerTimeoutMs = 1500;

/** Gathers the facts: one consistent list per kind, then every running member's own answers, all in parallel. */
export async function observe(context: ObserveContext): Promise<EtcdFacts> {
  const { key, resource } = context;
  const list = <Fact>(type: ResourceType, toFact: (object: KubeObject) => Fact): Promise<Answer<Fact[]>> =>
    answer(async () => {
      const { items } = await context.kube.list(type, {
        namespace: key.namespace,
        labels: labelsOf(key),
        signal: context.signal,
      });
      return items.sort((a, b) => (a.metadata.name < b.metadata.name ? -1 : 1)).map(toFact);
    });
  const [pods, claims, services] = await Promise.all([
    list(resourceTypes.pod, podFact),
    list(resourceTypes.claim, claimFact),
    list(resourceTypes.service, serviceFact),
  ]);
  const asked = (pods.ok ? pods.value : []).filter((pod) => pod.ip !== null && !isFinished(pod));
  const answers = await Promise.all(
    asked.map(async (pod) => [pod.name, await askMember(`${pod.ip}:${clientPort}`, context.signal)] as const),
  );
  return {
    namespace: key.namespace,
    name: key.name,
    resource: resource ? resourceFact(resource) : null,
    pods,
    claims,
    services,
    members: Object.fromEntries(answers),
  };
}

async function answer<Value>(ask: () => Promise<Value>): Promise<Answer<Value>> {
  try {
    return { ok: true, value: await ask() };
  } catch (error) {
    return { ok: false, error: messageOf(error) };
  }
}

async function askMember(endpoint: string, signal: AbortSignal): Promise<MemberFact> {
  const client = connectEtcd(endpoint, { timeoutMs: answerTimeoutMs, signal });
  try {
    const status = await answer(async () => {
      const { memberId, clusterId, leaderId, version, isLearner, errors } = await client.status();
      return { memberId, clusterId, leaderId, version, isLearner, errors };
    });
    if (!status.ok) return { status, quorum: status, members: status };
    const quorum = await answer(async () => {
      await client.readLinearizable();
      return true as const;
    });
    // After the read, so that the list is at least as new as what a quorum had agreed on by then.
    const members = await answer(async () => (await client.members()).sort((a, b) => (a.id < b.id ? -1 : 1)));
    return { status, quorum, members };
  } finally {
    client.close();
  }
}

function resourceFact(resource: KubeObject): ResourceFact {
  const {
    uid = '',
    resourceVersion = '',
    creationTimestamp = '',
    deletionTimestamp,
    annotations,
  } = resource.metadata;
  return {
    uid,
    resourceVersion,
    createdAtMs: Date.parse(creationTimestamp) || 0,
    deleting: deletionTimestamp !== undefined,
    identity: parseIdentity(annotations?.[identityAnnotation]),
  };
}

function ownedFact(object: KubeObject): OwnedFact {
  const owner = object.metadata.ownerReferences?.find(
    (reference) =>
      reference.controller &&
      reference.kind === 'EtcdCluster' &&
      // Of another cluster, labelled as this one by hand, nothing may be taken for a leftover.
      reference.name === object.metadata.labels?.[labels.cluster],
  );
  return {
    name: object.metadata.name,
    uid: object.metadata.uid ?? '',
    ownerUid: owner?.uid ?? null,
    deleting: object.metadata.deletionTimestamp !== undefined,
  };
}

interface PodShape {
  spec?: { volumes?: { persistentVolumeClaim?: { claimName?: string } }[] };
  status?: {
    phase?: string;
    reason?: string;
    podIP?: string;
    conditions?: { type: string; status: string; reason?: string; message?: string }[];
    containerStatuses?: {
      state?: { waiting?: { reason?: string; message?: string }; terminated?: object };
      lastState?: { terminated?: { exitCode?: number; message?: string } };
    }[];
  };
}

function podFact(pod: KubeObject): PodFact {
  const { spec, status } = pod as PodShape;
  const claimName = spec?.volumes?.find((volume) => volume.persistentVolumeClaim)?.persistentVolumeClaim
    ?.claimName;
  return {
    ...ownedFact(pod),
    // Nobody answers where the container has ended, and with its network gone not even a refusal comes back: asking
    // would cost every pass its whole patience.
    ip: (!status?.containerStatuses?.[0]?.state?.terminated && status?.podIP) || null,
    phase: status?.phase ?? 'Pending',
    ready:
      status?.conditions?.some((condition) => condition.type === 'Ready' && condition.status === 'True') ??
      false,
    version: pod.metadata.annotations?.['etcd.version'] ?? '',
    claimName: claimName ?? null,
    trouble: podTrouble(status),
  };
}

/** What keeps a pod from running, in the words of the scheduler or the kubelet. */
function podTrouble(status: PodShape['status']): string | null {
  const unscheduled = status?.conditions?.find(
    (condition) => condition.type === 'PodScheduled' && condition.status === 'False',
  );
  if (unscheduled) return `${unscheduled.reason ?? 'not scheduled'}: ${unscheduled.message ?? ''}`;
  const container = status?.containerStatuses?.[0];
  const waiting = container?.state?.waiting;
  if (
    waiting?.reason === undefined ||
    waiting.reason === 'ContainerCreating' ||
    waiting.reason === 'PodInitializing'
  ) {
    return status?.reason ?? null;
  }
  const ended = container?.lastState?.terminated;
  const last = ended ? ` (exit code ${ended.exitCode}: ${lastLine(ended.message)})` : '';
  return `${waiting.reason}${last || (waiting.message ? `: ${waiting.message}` : '')}`;
}

const lastLine = (text = ''): string => text.trim().split('\n').at(-1)?.slice(0, 300) ?? '';

function claimFact(claim: KubeObject): ClaimFact {
  const status = claim['status'] as { phase?: string } | undefined;
  return { ...ownedFact(claim), phase: status?.phase ?? 'Pending' };
}

const serviceFact = (service: KubeObject): ServiceFact => ({
  ...ownedFact(service),
  shape: serviceShape(service),
});
