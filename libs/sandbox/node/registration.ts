import { cpus, totalmem } from 'node:os';
import { resourceTypes } from '../../kube/object.ts';
import { timestamp } from '../memory.ts';
import type { Store } from '../store.ts';
import { nodeName } from './binding.ts';
import { podStatusOf } from './spec.ts';
import { mergeConditions } from './status.ts';

/** Adds the Node object of this machine to the store, ready. */
export function registerNode(store: Store, address: string): void {
  const architecture = process.arch === 'x64' ? 'amd64' : process.arch;
  const capacity = {
    cpu: String(cpus().length),
    memory: `${Math.floor(totalmem() / 1024)}Ki`,
    pods: '1000',
    'ephemeral-storage': '100Gi',
  };
  store.create(resourceTypes.node, {
    apiVersion: 'v1',
    kind: 'Node',
    metadata: {
      name: nodeName,
      labels: {
        'kubernetes.io/hostname': nodeName,
        'kubernetes.io/os': 'linux',
        'kubernetes.io/arch': architecture,
      },
    },
    spec: {},
    status: {
      capacity,
      allocatable: capacity,
      addresses: [
        { type: 'InternalIP', address },
        { type: 'Hostname', address: nodeName },
      ],
      nodeInfo: {
        kubeletVersion: 'v1.33.0-sandbox',
        containerRuntimeVersion: 'bubblewrap://',
        operatingSystem: 'linux',
        architecture,
      },
    },
  });
  setNodeReady(store, true);
}

/** Says whether the node lives, in the words Kubernetes has for it. */
export function setNodeReady(store: Store, ready: boolean): void {
  const condition = ready
    ? ({ type: 'Ready', status: 'True', reason: 'KubeletReady', message: 'the sandbox runs' } as const)
    : ({ type: 'Ready', status: 'Unknown', reason: 'NodeStatusUnknown', message: 'the node died' } as const);
  store.update(resourceTypes.node, undefined, nodeName, (node) => {
    const status = podStatusOf(node);
    const conditions = mergeConditions(status.conditions ?? [], [condition], timestamp(new Date()));
    return { ...node, status: { ...status, conditions } };
  });
}
