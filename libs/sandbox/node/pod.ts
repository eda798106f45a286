import { mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type KubeObject, resourceTypes } from '../../kube/object.ts';
import { timestamp } from '../memory.ts';
import type { Store } from '../store.ts';
import { type Box, baseEnvironment } from './bubblewrap.ts';
import { Container } from './container.ts';
import { environmentOf, type ReadEntries } from './environment.ts';
import { expand } from './expand.ts';
import { hostnameOf } from './hosts.ts';
import { findImage, type ImageTable } from './images.ts';
import type { Machine } from './machine.ts';
import { type ContainerSpec, type PodSpec, podSpecOf, podStatusOf } from './spec.ts';
import { podStatus } from './status.ts';
import { type ClaimFolder, mountsOf, prepareVolumes } from './volumes.ts';

/** What the node offers to every pod. */
export interface PodSurroundings {
  store: Store;
  machine: Machine;
  images: ImageTable;
  /** The folder of everything that belongs to this pod alone; removed with it. */
  folder: string;
  claimFolder: ClaimFolder;
  /** Settles at the next change of any object that a pod may refer to, or with `signal`. */
  nextChange(signal: AbortSignal): Promise<void>;
}

/** One pod on this node, from its binding to its end. */
export class Pod {
  readonly uid: string;
  readonly #around: PodSurroundings;
  readonly #bound: KubeObject;
  readonly #initContainers: Container[];
  readonly #containers: Container[];
  #stopped: Promise<unknown> | undefined;
  #graceMs = Number.POSITIVE_INFINITY;
  #silent = false;
  #statusDue = false;
  #hosts = '';

  /** `pod` is bound and has its address. */
  constructor(pod: KubeObject, around: PodSurroundings) {
    this.uid = pod.metadata.uid ?? '';
    this.#around = around;
    this.#bound = pod;
    const { initContainers = [], containers, restartPolicy = 'Always' } = podSpecOf(pod);
    const initPolicy = restartPolicy === 'Never' ? 'Never' : 'OnFailure';
    mkdirSync(join(around.folder, 'names'), { recursive: true });
    writeFileSync(join(around.folder, 'names', 'resolv.conf'), '');
    this.#initContainers = initContainers.map((spec) => this.#container(spec, initPolicy));
    this.#containers = containers.map((spec) => this.#container(spec, restartPolicy));
  }

  /** Runs init containers one after the other, then all containers, until they have ended for good. */
  async run(): Promise<void> {
    this.#writeStatusSoon();
    for (const container of this.#initContainers) {
      await container.run();
      if (this.#stopped || !container.succeeded) return;
    }
    await Promise.all(this.#containers.map((container) => container.run()));
  }

  /** Ends all containers within `graceMs`; the object is the caller's to remove. May be called again to shorten it. */
  async stop(graceMs: number): Promise<void> {
    if (graceMs < this.#graceMs) {
      this.#graceMs = graceMs;
      this.#stopped = Promise.all(this.#all().map((container) => container.stop(graceMs)));
    }
    await this.#stopped;
  }

  /** As if the machine lost its power: everything ends at once, and nobody is told. */
  async die(): Promise<void> {
    this.#silent = true;
    await this.stop(0);
  }

  container(name: string): Container | undefined {
    return this.#all().find((container) => container.spec.name === name);
  }

  /** Replaces the hosts file that the pod's containers see. */
  writeHosts(text: string): void {
    if (text === this.#hosts) return;
    this.#hosts = text;
    const path = join(this.#around.folder, 'names', 'hosts');
    // Renamed into place, so that a reader sees the old file or the new one and never half of it.
    writeFileSync(`${path}.new`, text);
    renameSync(`${path}.new`, path);
  }

  /** Brings files that come from objects up to date in running containers. */
  refreshVolumes(): void {
    if (!this.#stopped && this.#all().some(({ joinable }) => joinable)) this.#volumes();
  }

  /** Brings the images of running containers up to date: all that may change in the spec of a pod that runs. */
  changeImages({ containers }: PodSpec): void {
    for (const { name, image } of containers) {
      if (image !== undefined) this.container(name)?.changeImage(image);
    }
  }

  /** Removes everything the pod left on disk. */
  remove(): void {
    rmSync(this.#around.folder, { recursive: true, force: true });
  }

  #all(): Container[] {
    return [...this.#initContainers, ...this.#containers];
  }

  #container(spec: ContainerSpec, restartPolicy: 'Always' | 'OnFailure' | 'Never'): Container {
    const status = podStatusOf(this.#bound);
    const before = [...(status.initContainerStatuses ?? []), ...(status.containerStatuses ?? [])].find(
      ({ name }) => name === spec.name,
    );
    const around = {
      machine: this.#around.machine,
      folder: join(this.#around.folder, 'containers', spec.name),
      address: status.podIP ?? '',
      restartPolicy,
      terminationGraceMs: (podSpecOf(this.#bound).terminationGracePeriodSeconds ?? 30) * 1_000,
      prepare: (latest: ContainerSpec) => this.#prepare(latest),
      nextChange: this.#around.nextChange,
      changed: () => this.#writeStatusSoon(),
    };
    // A container that ran before the node came back counts that as a restart.
    const restartCount = before?.containerID === undefined ? 0 : before.restartCount + 1;
    return new Container(spec, around, restartCount);
  }

  /** The pod as it is now; its labels and annotations may have changed since it was bound. */
  #present(): KubeObject {
    const { namespace, name } = this.#bound.metadata;
    const present = this.#around.store.get(resourceTypes.pod, namespace, name);
    return present?.metadata.uid === this.uid ? present : this.#bound;
  }

  #volumes(): Map<string, string> {
    const folder = join(this.#around.folder, 'volumes');
    return prepareVolumes(this.#present(), folder, this.#around.claimFolder, this.#read);
  }

  #prepare(spec: ContainerSpec): { box: Box; environment: Record<string, string> } {
    const pod = this.#present();
    const hostname = hostnameOf(pod);
    const image = findImage(this.#around.images, spec.image ?? '', (spec.command ?? []).length > 0);
    const base = { ...baseEnvironment(hostname), ...image.environment };
    const environment = environmentOf(pod, spec, base, this.#read);
    const words = [...(spec.command ?? image.command ?? []), ...(spec.args ?? [])];
    const box: Box = {
      image,
      hostname,
      namesFolder: join(this.#around.folder, 'names'),
      mounts: mountsOf(spec, this.#volumes()),
      workingDirectory: spec.workingDir || '/',
      command: words.map((word) => expand(word, environment)),
    };
    return { box, environment };
  }

  readonly #read: ReadEntries = (kind, name) => {
    const type = kind === 'Secret' ? resourceTypes.secret : configMapType;
    const object = this.#around.store.get(type, this.#bound.metadata.namespace, name);
    if (!object) return undefined;
    const encoding = kind === 'Secret' ? 'base64' : 'utf8';
    const decode = (field: string, as: BufferEncoding) =>
      Object.entries((object[field] ?? {}) as Record<string, string>).map(
        ([key, value]) => [key, Buffer.from(value, as)] as const,
      );
    return Object.fromEntries([...decode('data', encoding), ...decode('binaryData', 'base64')]);
  };

  /** Several containers may change at once: one write tells of all. */
  #writeStatusSoon(): void {
    if (this.#statusDue) return;
    this.#statusDue = true;
    setImmediate(() => {
      this.#statusDue = false;
      if (this.#silent) return;
      const { namespace, name } = this.#bound.metadata;
      this.#around.store.update(resourceTypes.pod, namespace, name, (pod) =>
        pod.metadata.uid === this.uid ? { ...pod, status: this.#status(pod) } : pod,
      );
    });
  }

  #status(pod: KubeObject) {
    const view = {
      restartPolicy: podSpecOf(pod).restartPolicy ?? 'Always',
      initContainers: this.#initContainers.map((container) => container.status()),
      containers: this.#containers.map((container) => container.status()),
    };
    return podStatus(podStatusOf(pod), view, timestamp(new Date()));
  }
}

export const configMapType = {
  group: '',
  version: 'v1',
  kind: 'ConfigMap',
  plural: 'configmaps',
  namespaced: true,
} as const;
