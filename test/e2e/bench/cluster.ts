import type { KubeObject } from '../../../libs/kube/object.ts';
import { until } from '../../wait.ts';
import type { Kubectl } from './kubectl.ts';
import { containerIdOf, type Node } from './node.ts';
import { type Component, chosen, type Operator, parseLog, type ServiceLine } from './operator.ts';

/** A kubelet waits the longer before it starts a container again, the more often that has ended. */
const limitMs = 150_000;

const componentLabel = 'app.kubernetes.io/component';
const selectorOf = (components: readonly Component[]) =>
  `app.kubernetes.io/name=quorate,${componentLabel} in (${components.join(',')})`;

/** Quorate as the chart has installed it in a namespace, with its bundled NATS and Redis that keep nothing. */
export async function clusterOperator(kubectl: Kubectl, node: Node, namespace: string): Promise<Operator> {
  const here = ['--namespace', namespace];

  async function podsOf(components: readonly Component[]): Promise<KubeObject[]> {
    const pods = await kubectl.list('pods', ...here, '-l', selectorOf(components));
    return pods.filter(({ metadata }) => metadata.deletionTimestamp === undefined).sort(byName);
  }

  async function workloadOf(component: Component): Promise<{ reference: string; replicas: number }> {
    const kinds = 'deployments,statefulsets';
    const [workload] = await kubectl.list(kinds, ...here, '-l', selectorOf([component]));
    if (!workload) throw new Error(`there is no ${component} in ${namespace}`);
    const { replicas = 1 } = workload['spec'] as { replicas?: number };
    return { reference: `${workload.kind}/${workload.metadata.name}`, replicas };
  }

  /** Ends the containers as a crash does, and their pods, so that new ones come without the kubelet's back-off. */
  async function crashPods(pods: KubeObject[]): Promise<void> {
    const running = pods.filter(isRunning);
    if (running.length === 0) return;
    await node.signal(running, 'SIGKILL');
    const names = running.map(({ metadata }) => metadata.name);
    const force = ['--force', '--grace-period=0', '--wait=false', '--ignore-not-found'];
    await kubectl.run('delete', 'pod', ...here, ...names, ...force);
  }

  const replicasBefore = new Map<Component, number>();

  async function stop(component: Component): Promise<void> {
    const { reference, replicas } = await workloadOf(component);
    if (replicas > 0) replicasBefore.set(component, replicas);
    const pods = await podsOf([component]);
    await kubectl.run('scale', ...here, reference, '--replicas=0');
    await crashPods(pods);
    await until(`${component} is down`, async () => (await podsOf([component])).length === 0, limitMs);
  }

  async function start(component: Component): Promise<void> {
    const { reference } = await workloadOf(component);
    const replicas = replicasBefore.get(component) ?? 1;
    await kubectl.run('scale', ...here, reference, `--replicas=${replicas}`);
    const isServer = component === 'nats' || component === 'redis';
    // A service is ready only when its servers are, which may be later.
    const isUp = async () =>
      (await podsOf([component])).filter(isServer ? isReady : isRunning).length === replicas;
    await until(`${component} is up`, isUp, limitMs);
  }

  const serviceUrl = async (component: Component, scheme: string) => {
    const [service] = await kubectl.list('services', ...here, '-l', selectorOf([component]));
    const { clusterIP, ports } = (service?.['spec'] ?? {}) as {
      clusterIP: string;
      ports: { port: number }[];
    };
    return `${scheme}://${clusterIP}:${ports[0]?.port}`;
  };

  /** `undefined` of a pod that has gone by now. */
  async function logOf(pod: KubeObject): Promise<string | undefined> {
    try {
      return await kubectl.run('logs', ...here, pod.metadata.name, '--tail=-1');
    } catch (error) {
      if (/NotFound/.test((error as { stderr?: string }).stderr ?? '')) return undefined;
      throw error;
    }
  }

  /** What the running containers have logged; of those in `starts`, from that place on. */
  async function logsOf(component: Component, starts: ReadonlyMap<string, number>) {
    const logs = new Map<string, ServiceLine[]>();
    for (const pod of (await podsOf([component])).filter(isRunning)) {
      const text = await logOf(pod);
      const start = starts.get(containerIdOf(pod)) ?? 0;
      if (text !== undefined) logs.set(pod.metadata.name, parseLog(text.slice(start)));
    }
    return logs;
  }

  return {
    natsUrl: await serviceUrl('nats', 'nats'),
    redisUrl: await serviceUrl('redis', 'redis'),
    async crash(targets) {
      const pods = await podsOf(targets.map(({ component }) => component));
      const ofComponent = (component: Component) =>
        pods.filter(({ metadata }) => metadata.labels?.[componentLabel] === component);
      await crashPods(targets.flatMap((target) => chosen(target, ofComponent(target.component))));
    },
    stop,
    start,
    async takeAway(server, store) {
      if (store === 'lost') {
        await stop(server);
        return () => start(server);
      }
      // What it stored lives as long as its pod, in which the kubelet starts it again.
      const [pod] = await podsOf([server]);
      if (!pod) throw new Error(`${server} does not run`);
      const before = containerIdOf(pod);
      await node.signal([pod], 'SIGKILL');
      return async () => {
        const isBack = async () =>
          (await podsOf([server])).some((each) => isReady(each) && containerIdOf(each) !== before);
        await until(`${server} is back`, isBack, limitMs);
      };
    },
    async lives(components) {
      const pods = (await podsOf(components)).filter(isRunning);
      return Object.fromEntries(pods.map((pod) => [pod.metadata.name, containerIdOf(pod)]));
    },
    async metricsUrls(component) {
      const pods = (await podsOf([component])).filter(isRunning);
      return pods.map((pod) => `http://${(pod['status'] as PodStatus).podIP}:8080/metrics`);
    },
    wholeLog: (component) => logsOf(component, new Map()),
    async logFromNow(component) {
      const starts = new Map<string, number>();
      for (const pod of (await podsOf([component])).filter(isRunning))
        starts.set(containerIdOf(pod), (await logOf(pod))?.length ?? 0);
      return () => logsOf(component, starts);
    },
  };
}

interface PodStatus {
  podIP?: string;
  containerStatuses?: { ready?: boolean; state?: { running?: object } }[];
}

const statusOf = (pod: KubeObject) => (pod['status'] as PodStatus | undefined)?.containerStatuses?.[0];
const isRunning = (pod: KubeObject): boolean => statusOf(pod)?.state?.running !== undefined;
const isReady = (pod: KubeObject): boolean => isRunning(pod) && statusOf(pod)?.ready === true;

const byName = (a: KubeObject, b: KubeObject): number => (a.metadata.name < b.metadata.name ? -1 : 1);
