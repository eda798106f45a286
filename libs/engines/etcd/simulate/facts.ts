import type { EtcdMember } from '../client/client.ts';
import type { EtcdFacts, MemberFact, PodFact } from '../facts.ts';
import { parseIdentity } from '../identity.ts';
import { diskOf, type Model, type SimulatedMember, type SimulatedPod } from './model.ts';
import { quorumConfig } from './raft.ts';
import { listsWithoutQuorum } from './versions.ts';

/** What an observation of the model would find. */
export function factsOf(model: Model): EtcdFacts {
  const asked = model.pods.filter((pod) => pod.ip !== null && pod.phase === 'Running');
  return {
    namespace: model.cluster.namespace,
    name: model.cluster.name,
    resource:
      model.resource === 'gone'
        ? null
        : {
            uid: model.cluster.uid,
            resourceVersion: String(model.resourceVersion),
            createdAtMs: model.createdAtMs,
            deleting: model.resource === 'deleting',
            orphaning: false,
            identity: parseIdentity(model.identity),
          },
    pods: {
      ok: true,
      value: model.pods.map((pod): PodFact => {
        const {
          name,
          uid,
          ownerUid,
          deleting,
          ip,
          phase,
          version,
          image,
          madeFor,
          claimName,
          trouble,
          hindrance,
        } = pod;
        return {
          ...{
            name,
            uid,
            ownerUid,
            deleting,
            ip,
            phase,
            version,
            image,
            madeFor,
            claimName,
            trouble,
            hindrance,
          },
          ...{ ready: pod.isUp, hasRun: pod.hasRun, nodeName: ip && 'node', resourceVersion: '1' },
          ...{ containerId: pod.containerId, changedFrom: pod.changedFrom },
          madeWith: null,
          endsByMs: pod.isStuck && deleting ? 0 : null,
        };
      }),
    },
    claims: {
      ok: true,
      value: model.claims.map(({ name, uid, ownerUid, deleting, phase, madeFor }) => ({
        ...{ name, uid, ownerUid, deleting, phase, madeFor },
        ...{ resourceVersion: '1', createdAtMs: 1_000_000, storageClass: null },
      })),
    },
    services: { ok: true, value: model.services.map((service) => ({ ...service })) },
    budgets: { ok: true, value: model.budgets.map((budget) => ({ ...budget })) },
    nodes: {},
    members: Object.fromEntries(asked.map((pod) => [pod.name, answersOf(model, pod)])),
  };
}

function answersOf(model: Model, pod: SimulatedPod): MemberFact {
  const failed = (error: string) => ({ ok: false as const, error });
  const disk = diskOf(model, pod);
  if (!pod.isUp || !disk || pod.frozenTicks > 0 || pod.hiddenTicks > 0) {
    const silent = failed('the etcd member could not be reached');
    return { status: silent, quorum: silent, members: silent };
  }
  const quorum = quorumConfig(model);
  const self = disk.config.find((member) => member.id === disk.memberId);
  const isLearner = self?.isLearner ?? false;
  const status = {
    memberId: disk.memberId,
    clusterId: 'c',
    leaderId: (quorum && model.leaderId) ?? '0',
    version: pod.reports ?? pod.runs,
    isLearner,
    errors: [],
  };
  const answered = { ok: true as const, value: status };
  if (isLearner) {
    const refused = failed('rpc not supported for learner');
    return { status: answered, quorum: refused, members: refused };
  }
  if (quorum?.some((member) => member.id === disk.memberId)) {
    return {
      status: answered,
      quorum: { ok: true, value: true },
      members: { ok: true, value: quorum.map(toMember) },
    };
  }
  const leaderless = failed('the etcd member sees no leader');
  const members = listsWithoutQuorum(pod.runs)
    ? { ok: true as const, value: disk.config.map(toMember) }
    : leaderless;
  return { status: answered, quorum: leaderless, members };
}

const toMember = ({ id, name, peerUrl, started, isLearner }: SimulatedMember): EtcdMember => ({
  id,
  name: started ? name : '',
  peerUrls: [peerUrl],
  clientUrls: started ? [peerUrl.replace('2380', '2379')] : [],
  isLearner,
});
