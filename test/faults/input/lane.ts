import { isDeepStrictEqual } from 'node:util';
import { identityAnnotation } from '../../../libs/engines/etcd/identity.ts';
import type { KubeObject } from '../../../libs/kube/object.ts';
import {
  createCluster,
  isGoing,
  type Owner,
  type Seen,
  specOf,
  type TestCluster,
} from '../../e2e/cluster.ts';
import { conditionOf, etcdCluster } from '../../e2e/stage.ts';
import { isReady } from '../../e2e/watched.ts';
import { until } from '../../wait.ts';
import { type Case, namesOf, requestOf } from './cases.ts';
import type { Definition } from './definition.ts';
import { changedFields, faultOfAnswer, ignoredFields, isTold, type Outcome, stateOf } from './judge.ts';
import type { Answer, Sender } from './send.ts';

/** One running cluster to which one case after the other is done. */
export interface Lane {
  /** Does it, looks at what becomes of it, and takes it back. Throws saying what is wrong. */
  run(given: Case): Promise<Outcome>;
  /** Another cluster in the place of this one, which a case has spoiled. */
  renew(): Promise<void>;
  /** Ends the writing, and fails where an acknowledged write is gone. */
  finish(): Promise<void>;
}

/** How long a cluster has to come to rest after a case, and after it was taken back. */
const patienceMs = 60_000;

export async function openLane(
  seen: Seen,
  owner: Owner,
  sender: Sender,
  definition: Definition,
  { name, size }: { name: string; size: number },
): Promise<Lane> {
  const { stage, watched } = seen;
  const collection = `/apis/${definition.group}/${definition.version}/namespaces/${stage.namespace}/${definition.plural}`;
  let turn = 0;
  const create = () => createCluster(seen, owner, `${name}-${turn}`, { size, betweenWritesMs: 100 });
  let cluster: TestCluster = await create();
  const pathOf = () => `${collection}/${cluster.name}`;

  async function read(): Promise<KubeObject> {
    const { status, body } = await sender.send({ method: 'GET', path: pathOf() });
    if (status !== 200) throw new Error(`the resource cannot be read: ${status} ${body.slice(0, 300)}`);
    return JSON.parse(body) as KubeObject;
  }

  async function send(given: Case, live: KubeObject): Promise<Answer> {
    const { managedFields: _, ...metadata } = live.metadata;
    const manifest = { ...etcdCluster(cluster.name, specOf({ size })) };
    const { method, contentType, body } = requestOf(given, manifest, { ...live, metadata });
    const force = given.verb === 'apply' ? '&force=true' : '';
    const query = `fieldManager=kubectl&fieldValidation=${given.validation}${force}`;
    return sender.send({ method, path: `${pathOf()}?${query}`, contentType, body });
  }

  /** Waits for a pass that has read this state of the resource, and for what its record leads to. */
  async function rested({ resourceVersion }: KubeObject['metadata']): Promise<KubeObject> {
    const hasRead = () =>
      watched
        .decisions(cluster.name)
        .some(({ resource }) => Number(resource?.resourceVersion) >= Number(resourceVersion));
    await cluster.until('a pass has read it', hasRead, patienceMs);
    const isSeen = () =>
      Number(watched.resource(cluster.name)?.metadata.resourceVersion) >= Number(resourceVersion);
    const rests = () => isSeen() && stateOf(watched.resource(cluster.name)) !== undefined;
    await cluster.until('it rests, or says why not', rests, patienceMs);
    const resource = watched.resource(cluster.name);
    if (!resource) throw new Error('the resource is gone');
    return resource;
  }

  /** Puts the resource back as it was, whatever happened to it meanwhile, and waits until all is well again. */
  async function takeBack(before: KubeObject, isOfAnnotations: boolean): Promise<void> {
    const put = () =>
      until(`${cluster.name} is put back`, async () => {
        const { name: known, resourceVersion, annotations: present = {} } = (await read()).metadata;
        const { labels = {}, annotations: old = {} } = before.metadata;
        // Numbers that were given meanwhile are spent, and only this annotation knows of them.
        const identity = isOfAnnotations ? old[identityAnnotation] : present[identityAnnotation];
        const annotations = { ...old, ...(identity !== undefined && { [identityAnnotation]: identity }) };
        const restored = {
          ...{ apiVersion: before.apiVersion, kind: before.kind, spec: before['spec'] },
          metadata: { name: known, resourceVersion, labels, annotations },
        };
        const sent = { method: 'PUT', contentType: 'application/json', body: JSON.stringify(restored) };
        const { status, body } = await sender.send({ ...sent, path: pathOf() });
        if (status !== 200 && status !== 409)
          throw new Error(`it cannot be put back: ${status} ${body.slice(0, 300)}`);
        return status === 200 && (JSON.parse(body) as KubeObject);
      });
    await rested((await put()).metadata);
    // Pods are watched apart from their resource, and what is told of either may come later than of the other.
    const isWell = () =>
      stateOf(watched.resource(cluster.name)) === 'settled' &&
      cluster.pods().length === size &&
      cluster.pods().every(isReady);
    await cluster.until('all is as before', isWell, patienceMs);
  }

  /** By pod: its processes. A member that was removed may end, and be started again, before its pod is gone. */
  const processes = () => {
    const staying = cluster.pods().filter((pod) => !isGoing(pod));
    return new Map(staying.map((pod) => [pod.metadata.name, processOf(pod)]));
  };

  async function judge(given: Case, before: KubeObject, stored: KubeObject): Promise<Outcome> {
    const told = stored.metadata;
    const changed = changedFields(before['spec'], stored['spec']);
    const after = await rested(told);
    const blocked = conditionOf(after, 'Blocked');
    if (changed.length > 0) {
      const ignored = ignoredFields(after, changed);
      if (ignored.length > 0)
        throw new Error(`accepted and silently ignored: ${ignored.join(', ')}; Blocked: ${blocked?.message}`);
    } else if (blocked?.status === 'True' && !namesOf(given).some((part) => blocked.message.includes(part))) {
      throw new Error(`blocked, and the message names nothing of it: ${blocked.message}`);
    }
    const isReported = stateOf(after) !== 'settled' || changed.some((field) => isTold(after, field));
    return isReported ? 'reported' : 'converged';
  }

  return {
    async run(given) {
      const before = await read();
      const ran = processes();
      let answer = await send(given, before);
      // Whoever is told of a conflict reads again: status is written all the time.
      for (let again = 0; again < 5 && answer.status === 409 && given.verb === 'replace'; again++)
        answer = await send(given, await read());
      const fault = faultOfAnswer(given, answer);
      if (answer.status >= 400) {
        if (fault) throw new Error(fault);
        const after = await read();
        if (after.metadata.generation !== before.metadata.generation) throw new Error('refused, and changed');
        return 'refused';
      }
      const stored = JSON.parse(answer.body) as KubeObject;
      if (isSame(before, stored)) {
        if (fault) throw new Error(fault);
        return answer.warnings.length > 0 ? 'warned' : 'no change';
      }
      let outcome: Outcome;
      try {
        if (fault) throw new Error(fault);
        outcome = await judge(given, before, stored);
        const asked = changedFields(before['spec'], stored['spec']);
        if (!asked.includes('version')) untouched(ran, processes(), asked.includes('size'));
      } finally {
        await takeBack(before, given.family === 'our annotations');
      }
      return outcome;
    },
    async renew() {
      await cluster.writer.stop();
      await stage.kubectl('delete', 'etcdcluster', cluster.name, '--wait=false');
      turn++;
      cluster = await create();
    },
    finish: () => cluster.finish(),
  };
}

/** Whether nothing was changed that anybody would notice: a list of managers is nobody's wish. */
const isSame = (one: KubeObject, other: KubeObject): boolean =>
  (['labels', 'annotations', 'finalizers', 'ownerReferences'] as const).every((field) =>
    isDeepStrictEqual(one.metadata[field] ?? {}, other.metadata[field] ?? {}),
  ) && isDeepStrictEqual(one['spec'], other['spec']);

function processOf({ metadata, ...pod }: KubeObject): string {
  const { containerStatuses = [] } = (pod['status'] ?? {}) as {
    containerStatuses?: { containerID?: string; restartCount?: number }[];
  };
  const runs = containerStatuses.map(({ containerID, restartCount }) => `${containerID} ${restartCount}`);
  return [metadata.uid, ...runs].join(' ');
}

/** Fails where a member's process is another one, or a member is there that nobody asked for. */
function untouched(before: Map<string, string>, after: Map<string, string>, sizeMayDiffer: boolean): void {
  const harmed = [...before].filter(([name, process]) =>
    sizeMayDiffer ? after.has(name) && after.get(name) !== process : after.get(name) !== process,
  );
  const added = [...after.keys()].filter((name) => !before.has(name));
  const told = harmed.map(([name, process]) => `${name}: ${process} → ${after.get(name)}`);
  if (harmed.length > 0) throw new Error(`harmed members: ${told.join(', ')}`);
  if (added.length > 0 && !sizeMayDiffer) throw new Error(`members nobody asked for: ${added.join(', ')}`);
}
