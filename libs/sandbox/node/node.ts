import { EventEmitter, once } from 'node:events';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { type KubeObject, resourceTypes } from '../../kube/object.ts';
import type { Log } from '../../service/log.ts';
import { endpointsType } from '../controllers/endpoints.ts';
import { timestamp } from '../memory.ts';
import type { NodeFaults } from '../node-faults.ts';
import type { Runtime } from '../runtime.ts';
import type { Store, StoreChange } from '../store.ts';
import { Addresses } from './addresses.ts';
import { bindPod, nodeName, withoutAddress, withoutReady, withPrograms } from './binding.ts';
import { Claims } from './claims.ts';
import { podHosts, serviceHosts } from './hosts.ts';
import { type ImageTable, imageTable } from './images.ts';
import { findMachine, type Machine, outputInside } from './machine.ts';
import { Pod } from './pod.ts';
import { ServiceProxy } from './proxy.ts';
import { registerNode, setNodeReady } from './registration.ts';
import { nodeRuntime } from './runtime.ts';
import { podSpecOf, podStatusOf } from './spec.ts';

export interface NodeOptions {
  store: Store;
  /** Everything the node writes lies below this folder. */
  folder: string;
  /** Images with a root file system of their own: `<name>:<version>` → folder. */
  imageRoots?: Map<string, string>;
  environment?: Record<string, string | undefined>;
  log: Log;
}

/** What the node reads besides pods. */
const otherKinds = new Set([
  ...['Node', 'Service', 'Endpoints', 'PersistentVolumeClaim', 'StorageClass', 'ConfigMap', 'Secret'],
]);

/** How long containers have to end by themselves when the sandbox stops. */
const closeGraceMs = 2_000;

/** The one node of the sandbox: runs every pod of the store as processes of this machine. */
export class SandboxNode implements NodeFaults {
  readonly runtime: Runtime;
  readonly #store: Store;
  readonly #folder: string;
  readonly #log: Log;
  readonly #machine: Machine;
  readonly #images: ImageTable;
  readonly #addresses: Addresses;
  readonly #claims: Claims;
  readonly #proxy: ServiceProxy;
  readonly #pods = new Map<string, Pod>();
  readonly #changes = new EventEmitter();
  readonly #unwatch: () => void;
  #alive = true;
  #closed = false;
  #syncDue = false;

  /**
   * Finds bubblewrap and the programs of images, takes a range of addresses, registers the node and begins. Throws
   * SANDBOX_FORBIDDEN or PROGRAM_MISSING where this machine cannot run containers.
   */
  static async start(options: NodeOptions): Promise<SandboxNode> {
    const environment = options.environment ?? process.env;
    const machine = await findMachine(environment);
    const images = await imageTable(options.imageRoots ?? new Map(), environment, (image, command) =>
      outputInside(machine, image, command),
    );
    return new SandboxNode(options, machine, images, await Addresses.claim());
  }

  private constructor(options: NodeOptions, machine: Machine, images: ImageTable, addresses: Addresses) {
    this.#store = options.store;
    this.#folder = options.folder;
    this.#log = options.log;
    this.#machine = machine;
    this.#images = images;
    this.#addresses = addresses;
    this.#claims = new Claims(options.store, join(options.folder, 'volumes'));
    this.#proxy = new ServiceProxy(options.log);
    this.runtime = nodeRuntime((uid) => this.#pods.get(uid), machine.rootless);
    // Every container that waits for an object listens here.
    this.#changes.setMaxListeners(0);
    mkdirSync(join(options.folder, 'pods'), { recursive: true });
    registerNode(this.#store, addresses.node);
    this.#unwatch = this.#store.watch((change) => this.#onChange(change));
    this.#syncSoon();
  }

  /** A new address for a service. */
  allocateClusterIp(): string {
    return this.#addresses.service();
  }

  // What these three promise is said in NodeFaults.

  async die(): Promise<void> {
    this.#alive = false;
    const pods = [...this.#pods.values()];
    this.#pods.clear();
    await Promise.all(pods.map((pod) => pod.die()));
    setNodeReady(this.#store, false);
    for (const { metadata } of this.#store.list(resourceTypes.pod)) {
      this.#store.update(resourceTypes.pod, metadata.namespace, metadata.name, (pod) =>
        withoutReady(pod, timestamp(new Date())),
      );
    }
  }

  revive(): void {
    if (this.#alive) return;
    this.#alive = true;
    setNodeReady(this.#store, true);
    for (const pod of this.#store.list(resourceTypes.pod)) {
      const { namespace, name } = pod.metadata;
      if (!isFinished(pod)) this.#store.update(resourceTypes.pod, namespace, name, withoutAddress);
    }
    this.#syncSoon();
  }

  emptyClaim(namespace: string, name: string): boolean {
    return this.#claims.empty(namespace, name);
  }

  /** Ends all containers, politely for a moment, and gives back what was taken. The volumes stay. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#unwatch();
    await Promise.all([...this.#pods.values()].map((pod) => pod.stop(closeGraceMs)));
    this.#proxy.close();
    this.#addresses.close();
  }

  #onChange({ type, object }: StoreChange): void {
    if (object.kind !== 'Pod' && !otherKinds.has(object.kind)) return;
    if (type === 'DELETED' && object.kind === 'PersistentVolumeClaim') this.#claims.removed(object);
    if (type === 'DELETED' && object.kind === 'Pod') void this.#forget(object);
    if (object.kind === 'ConfigMap' || object.kind === 'Secret') this.#syncVolumes();
    this.#syncSoon();
  }

  /** Requests that arrive together are served together, so that pods created at once know each other's names. */
  #syncSoon(): void {
    if (this.#syncDue) return;
    this.#syncDue = true;
    setImmediate(() => {
      this.#syncDue = false;
      if (this.#alive && !this.#closed) this.#sync();
    });
  }

  /** Claims, then addresses, then names, then processes: each can count on the ones before. */
  #sync(): void {
    this.#claims.bind();
    for (const pod of this.#store.list(resourceTypes.pod)) this.#bind(pod);
    const pods = this.#store.list(resourceTypes.pod).filter(isHere);
    const starting = pods.filter((pod) => !this.#pods.has(pod.metadata.uid ?? '') && !isFinished(pod));
    const started = starting.flatMap((pod) => this.#adopt(pod));
    const services = this.#store.list(resourceTypes.service);
    this.#writeHosts(pods, services);
    for (const pod of started) this.#run(pod);
    for (const pod of pods) {
      if (pod.metadata.deletionTimestamp !== undefined) void this.#stop(pod);
      else this.#changeImages(pod);
    }
    this.#proxy.sync(services, this.#store.list(endpointsType));
    this.#changes.emit('change');
  }

  #bind(pod: KubeObject): void {
    const { namespace, name } = pod.metadata;
    if (podStatusOf(pod).podIP || isFinished(pod) || pod.metadata.deletionTimestamp !== undefined) return;
    if ((podSpecOf(pod).nodeName ?? nodeName) !== nodeName) return;
    const bound = bindPod(pod, {
      object: this.#store.get(resourceTypes.node, undefined, nodeName),
      claimFolder: (inNamespace, claim) => this.#claims.folder(inNamespace, claim),
      images: this.#images,
      hostAddress: this.#addresses.node,
      podAddress: () => this.#addresses.pod(),
      now: timestamp(new Date()),
    });
    this.#store.update(resourceTypes.pod, namespace, name, () => bound);
  }

  #adopt(object: KubeObject): Pod[] {
    const uid = object.metadata.uid ?? '';
    if (object.metadata.deletionTimestamp !== undefined) return [];
    const pod = new Pod(object, {
      store: this.#store,
      machine: this.#machine,
      images: this.#images,
      folder: join(this.#folder, 'pods', uid),
      claimFolder: (namespace, claim) => this.#claims.folder(namespace, claim),
      nextChange: async (signal) => {
        // Settled by the signal as well: whoever waits looks at it next.
        await once(this.#changes, 'change', { signal }).catch(() => {});
      },
    });
    this.#pods.set(uid, pod);
    return [pod];
  }

  #run(pod: Pod): void {
    pod.run().catch((error) => this.#log.error({ uid: pod.uid, error }, 'cannot run a pod'));
  }

  #changeImages(object: KubeObject): void {
    const { namespace, name, uid = '' } = object.metadata;
    this.#pods.get(uid)?.changeImages(podSpecOf(object));
    const noted = withPrograms(object, this.#images);
    if (noted !== object) this.#store.update(resourceTypes.pod, namespace, name, () => noted);
  }

  async #stop(object: KubeObject): Promise<void> {
    const { namespace, name, uid = '', deletionGracePeriodSeconds = 0 } = object.metadata;
    await this.#pods.get(uid)?.stop(deletionGracePeriodSeconds * 1_000);
    const present = this.#store.get(resourceTypes.pod, namespace, name);
    if (present?.metadata.uid !== uid || this.#closed || !this.#alive) return;
    this.#store.delete(resourceTypes.pod, namespace, name, { gracePeriodSeconds: 0, uid });
  }

  /** The object is gone: whatever may still run of it ends now. */
  async #forget({ metadata: { uid = '' } }: KubeObject): Promise<void> {
    const pod = this.#pods.get(uid);
    this.#pods.delete(uid);
    await pod?.stop(0);
    pod?.remove();
  }

  #writeHosts(pods: KubeObject[], services: KubeObject[]): void {
    const lines = new Map<string, string>();
    for (const pod of pods) {
      const namespace = pod.metadata.namespace ?? '';
      const known = lines.get(namespace) ?? serviceHosts(services, pods, namespace);
      lines.set(namespace, known);
      this.#pods.get(pod.metadata.uid ?? '')?.writeHosts(podHosts(pod, known));
    }
  }

  #syncVolumes(): void {
    for (const pod of this.#pods.values()) {
      try {
        pod.refreshVolumes();
      } catch (error) {
        // As the kubelet: an object taken away under a running pod leaves its files as they are.
        this.#log.debug({ uid: pod.uid, error }, 'cannot refresh the volumes of a pod');
      }
    }
  }
}

function isHere(pod: KubeObject): boolean {
  return podSpecOf(pod).nodeName === nodeName && podStatusOf(pod).podIP !== undefined;
}

function isFinished(pod: KubeObject): boolean {
  const phase = podStatusOf(pod).phase;
  return phase === 'Succeeded' || phase === 'Failed';
}
