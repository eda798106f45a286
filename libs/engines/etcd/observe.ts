import { type Answer, labelsOf, type ObserveContext } from '../../engine/contract.ts';
import { type KubeObject, type ResourceType, resourceTypes } from '../../kube/object.ts';
import { answer, askMember } from './ask.ts';
import { budgetShape } from './budget.ts';
import { type EtcdFacts, isFinished, type MemberFact, type NodeFact, type PodFact } from './facts.ts';
import { clientPort } from './names.ts';
import { claimFact, nodeFact, resourceFact, shapedFact } from './object-facts.ts';
import { serviceShape } from './objects.ts';
import { podFact } from './pod-fact.ts';

/** In characters (Kubernetes, "Labels and Selectors"). */
const longestLabelValue = 63;

/** Gathers the facts: one consistent list per kind, then every running member's own answers, all in parallel. */
export async function observe(context: ObserveContext): Promise<EtcdFacts> {
  const { key, resource } = context;
  const list = <Fact>(type: ResourceType, toFact: (object: KubeObject) => Fact): Promise<Answer<Fact[]>> =>
    answer(async () => {
      // Such a name is the value of no label, and API servers refuse to look for it.
      if (key.name.length > longestLabelValue) return [];
      const { items } = await context.kube.list(type, {
        namespace: key.namespace,
        labels: labelsOf(key),
        signal: context.signal,
      });
      return items.sort((a, b) => (a.metadata.name < b.metadata.name ? -1 : 1)).map(toFact);
    });
  const [pods, claims, services, budgets] = await Promise.all([
    list(resourceTypes.pod, podFact),
    list(resourceTypes.claim, claimFact),
    list(resourceTypes.service, shapedFact(serviceShape)),
    list(resourceTypes.budget, shapedFact(budgetShape)),
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
    budgets,
    members: Object.fromEntries(answers),
    nodes: await nodesOf(context, pods.ok ? pods.value : [], Object.fromEntries(answers)),
  };
}

/** The nodes of pods that are not well. Where they may not be read, what they do to the pods is not known. */
async function nodesOf(
  { kube, signal }: ObserveContext,
  pods: PodFact[],
  members: Record<string, MemberFact>,
): Promise<EtcdFacts['nodes']> {
  const doubtful = pods.filter((pod) => !pod.ready || !members[pod.name]?.status.ok);
  const names = [...new Set(doubtful.flatMap((pod) => pod.nodeName ?? []))].sort();
  const nodes = names.map(async (name): Promise<[string, Answer<NodeFact | null>]> => {
    const node = () => kube.get(resourceTypes.node, undefined, name, signal);
    return [name, await answer(async () => (await node().then((found) => found && nodeFact(found))) ?? null)];
  });
  return Object.fromEntries(await Promise.all(nodes));
}
