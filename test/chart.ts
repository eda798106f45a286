import { execFile } from 'node:child_process';
import { resolve } from 'node:path';
import { promisify } from 'node:util';
import { parseAllDocuments, stringify } from 'yaml';
import type { KubeObject } from '../libs/kube/object.ts';
import { ensurePrograms } from '../services/cli/toolchain/ensure.ts';

/** The Helm chart, as tests look at it. */
export const chart = resolve('deploy/helm/quorate');

/** Runs helm; throws an error with what it printed where it fails. The input is what it reads as file `-`. */
export async function helm(args: string[], input = ''): Promise<string> {
  const { helm: program = '' } = await ensurePrograms(['helm'], console.error);
  const running = promisify(execFile)(program, args);
  running.child.stdin?.end(input);
  return (await running).stdout;
}

/** What `helm install quorate` would send to a Kubernetes of that version that has those APIs besides its own. */
export async function render(
  values: object,
  kubeVersion = '1.35.0',
  apis: string[] = [],
): Promise<KubeObject[]> {
  const options = ['--namespace', 'quorate', '--kube-version', kubeVersion, '--values', '-'];
  const more = apis.flatMap((api) => ['--api-versions', api]);
  return objectsIn(await helm(['template', 'quorate', chart, ...options, ...more], stringify(values)));
}

/** The objects of a YAML stream; throws where one cannot be parsed. */
export function objectsIn(text: string): KubeObject[] {
  return parseAllDocuments(text).flatMap((document) => {
    if (document.errors.length > 0) throw document.errors[0];
    const object = document.toJS() as KubeObject | null;
    return object === null ? [] : [object];
  });
}

/** Values for NATS and Redis that somebody else runs, with all that they may ask for. */
export const existingServers = {
  nats: {
    url: 'tls://nats-1.example,tls://nats-2.example:4223',
    auth: { existingSecret: 'nats-login', credsKey: 'creds', userKey: 'user', passwordKey: 'password' },
    tls: { existingSecret: 'nats-tls', certKey: 'tls.crt', keyKey: 'tls.key' },
  },
  redis: {
    url: 'rediss://redis.example:6380',
    auth: { existingSecret: 'redis-login', usernameKey: 'user' },
    tls: { existingSecret: 'redis-tls' },
  },
};
export const autoscaled = { worker: { autoscaling: { enabled: true } } };
/** What a Kubernetes with KEDA serves besides its own. */
export const keda = ['keda.sh/v1alpha1'];

export interface Container {
  name: string;
  image: string;
  command: string[];
  env?: { name: string; value?: string; valueFrom?: { secretKeyRef: { name: string; key: string } } }[];
  ports?: { name: string; containerPort: number; protocol?: string }[];
  volumeMounts?: { name: string; mountPath: string }[];
  securityContext?: object;
  livenessProbe?: object;
  readinessProbe?: object;
  resources?: { requests?: Record<string, string>; limits?: Record<string, string> };
}

export interface PodTemplate {
  metadata: { labels: Record<string, string> };
  spec: {
    containers: Container[];
    securityContext?: object;
    serviceAccountName?: string;
    automountServiceAccountToken?: boolean;
    volumes?: { name: string; secret?: { secretName: string } }[];
  };
}

export interface Workload extends KubeObject {
  spec: {
    replicas?: number;
    strategy?: { type: string };
    selector: { matchLabels: Record<string, string> };
    template: PodTemplate;
  };
}

export const workloadsOf = (objects: KubeObject[]): Workload[] =>
  objects.filter(({ kind }) => kind === 'Deployment' || kind === 'StatefulSet') as Workload[];
