import { mkdirSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { type KubeObject, resourceTypes } from '../../kube/object.ts';
import type { Store } from '../store.ts';
import { Waiting } from './spec.ts';

interface ClaimSpec {
  storageClassName?: string;
  volumeName?: string;
  accessModes?: string[];
  resources?: { requests?: Record<string, string> };
}

const defaultClass = 'standard';

const storageClassType = {
  group: 'storage.k8s.io',
  version: 'v1',
  kind: 'StorageClass',
  plural: 'storageclasses',
  namespaced: false,
};

/**
 * Persistent volume claims as folders: a claim is bound as soon as it exists, unless it asks for a storage class that
 * does not, and its folder goes with it.
 */
export class Claims {
  readonly #store: Store;
  readonly #folder: string;

  constructor(store: Store, folder: string) {
    this.#store = store;
    this.#folder = folder;
    mkdirSync(folder, { recursive: true });
  }

  /** Binds every claim that is not bound yet. */
  bind(): void {
    for (const { metadata } of this.#store.list(resourceTypes.claim)) {
      this.#store.update(resourceTypes.claim, metadata.namespace, metadata.name, (claim) =>
        this.#bound(claim),
      );
    }
  }

  /** Removes what a claim held, once the claim itself is gone. */
  removed(claim: KubeObject): void {
    const volume = (claim['spec'] as ClaimSpec | undefined)?.volumeName;
    if (volume) rmSync(join(this.#folder, volume), { recursive: true, force: true });
  }

  /** The folder of a claim; throws `Waiting` in the scheduler's words where it cannot be used. */
  folder(namespace: string, name: string): string {
    const claim = this.#store.get(resourceTypes.claim, namespace, name);
    if (!claim) throw new Waiting('Unschedulable', `persistentvolumeclaim "${name}" not found`);
    const volume = (claim['spec'] as ClaimSpec).volumeName;
    if (!volume && claim.metadata.deletionTimestamp === undefined) {
      const why = '0/1 nodes are available: pod has unbound immediate PersistentVolumeClaims.';
      throw new Waiting('Unschedulable', why);
    }
    if (claim.metadata.deletionTimestamp !== undefined || !volume) {
      throw new Waiting('Unschedulable', `persistentvolumeclaim "${name}" is being deleted`);
    }
    return join(this.#folder, volume);
  }

  /** A lost disk: the claim stays, what it held is gone. Answers whether there is such a claim. */
  empty(namespace: string, name: string): boolean {
    const claim = this.#store.get(resourceTypes.claim, namespace, name);
    const volume = (claim?.['spec'] as ClaimSpec | undefined)?.volumeName;
    if (!volume) return false;
    const folder = join(this.#folder, volume);
    // The folder itself stays: it is mounted in containers.
    for (const entry of readdirSync(folder)) rmSync(join(folder, entry), { recursive: true, force: true });
    return true;
  }

  #bound(claim: KubeObject): KubeObject {
    const spec = (claim['spec'] ?? {}) as ClaimSpec;
    if (spec.volumeName || claim.metadata.deletionTimestamp !== undefined) return claim;
    const { storageClassName = defaultClass } = spec;
    const isServed =
      storageClassName === defaultClass ||
      this.#store.get(storageClassType, undefined, storageClassName) !== undefined;
    if (!isServed) return claim;
    const volumeName = `pvc-${claim.metadata.uid}`;
    mkdirSync(join(this.#folder, volumeName), { recursive: true });
    return {
      ...claim,
      spec: { storageClassName, ...spec, volumeName },
      status: {
        phase: 'Bound',
        accessModes: spec.accessModes ?? ['ReadWriteOnce'],
        capacity: { storage: spec.resources?.requests?.['storage'] ?? '1Gi' },
      },
    };
  }
}
