import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Stack, startStack } from '../../../services/cli/processes/stack.ts';
import { findPrograms } from '../../../services/cli/toolchain/find.ts';
import { programsNeeded } from '../../../services/cli/toolchain/programs.ts';
import { newerEtcdRoot, newerVersion } from '../../etcd-root.ts';
import { until } from '../../wait.ts';
import { agentNode } from './agent.ts';
import { type Bench, testNamespaceLabels } from './bench.ts';
import { clusterOperator } from './cluster.ts';
import { copyKubeconfig, createKubectl, type Kubectl } from './kubectl.ts';
import { machineOperator } from './machine.ts';
import { type Node, sandboxNode } from './node.ts';
import type { Operator } from './operator.ts';

/** What a bench gives to one test file. */
export interface Place {
  /** Works in the namespace. */
  kubectl: Kubectl;
  namespace: string;
  /** The example of the README, in the version that the bench has an image of. */
  exampleFile: string;
  exampleVersion: string;
  operator: Operator;
  node: Node;
  /** Freezes the API server until the returned function is called; `undefined` where it is not ours to freeze. */
  freezeApi: (() => Promise<() => Promise<void>>) | undefined;
  /** Takes away all that was made, the namespace included. */
  end(): Promise<void>;
}

/** What a test file needs of its bench besides a namespace. */
export interface Needs {
  /** An image of etcd 3.5.16 beside that of 3.4.23. A real Kubernetes is taken to have one. */
  newerEtcd?: boolean;
}

/** Makes a namespace on the bench and sees to it that Quorate runs for it. Leaves nothing behind where it fails. */
export async function startPlace(bench: Bench, namespace: string, needs: Needs): Promise<Place> {
  const ends: (() => Promise<unknown>)[] = [];
  const end = async () => {
    for (const each of ends.splice(0).reverse()) await each();
  };
  try {
    return { ...(await start(bench, namespace, ends, needs)), namespace, end };
  } catch (error) {
    await end();
    throw error;
  }
}

async function start(
  { kubernetes, operator }: Bench,
  namespace: string,
  ends: (() => Promise<unknown>)[],
  { newerEtcd = false }: Needs,
): Promise<Omit<Place, 'namespace' | 'end'>> {
  const isReal = kubernetes.kind === 'real';
  const { paths, missing } = await findPrograms(programsNeeded({ kube: isReal, nats: false, redis: false }));
  if (missing.length > 0)
    throw new Error(`missing programs: ${missing.join(', ')}; "npm test" installs them`);
  const dir = await mkdtemp(join(tmpdir(), 'quorate-e2e-'));
  ends.push(() => rm(dir, { recursive: true, force: true }));

  async function startOnMachine(
    environment: Record<string, string>,
    images: Record<string, string> = {},
  ): Promise<Stack> {
    const { KUBECONFIG, NATS_URL, REDIS_URL, ...rest } = process.env;
    const given = { ...rest, ...environment };
    const stack = await startStack({ dir: join(dir, 'run'), programs: paths, environment: given, images });
    ends.push(stack.stop);
    return stack;
  }

  async function enterNamespace(kubeconfigPath: string): Promise<Kubectl> {
    const program = paths.kubectl ?? 'kubectl';
    const outside = createKubectl(program, kubeconfigPath);
    await outside.feed('create', namespaceOf(namespace));
    if (isReal) {
      ends.push(() => outside.run('delete', 'namespace', namespace, '--wait=false'));
      // Before it has that, Kubernetes refuses all pods there.
      const account = () => outside.get('serviceaccount', 'default', '--namespace', namespace);
      await until(`${namespace} has its service account`, account);
    }
    const ownPath = join(dir, 'kubeconfig');
    await copyKubeconfig(outside, namespace, ownPath);
    return createKubectl(program, ownPath);
  }

  if (!isReal) {
    const stack = await startOnMachine(
      {},
      newerEtcd ? { [`etcd:${newerVersion}`]: await newerEtcdRoot() } : {},
    );
    const sandbox = stack.process('sandbox');
    return {
      kubectl: await enterNamespace(stack.kubeconfigPath),
      exampleFile,
      exampleVersion: versionOf(await readFile(exampleFile, 'utf8')),
      operator: machineOperator(stack),
      node: sandboxNode,
      async freezeApi() {
        sandbox.kill('SIGSTOP');
        return async () => sandbox.kill('SIGCONT');
      },
    };
  }

  const kubectl = await enterNamespace(kubernetes.kubeconfig);
  const node = agentNode(kubectl);
  return {
    kubectl,
    exampleFile: await writeExample(join(dir, 'example.yaml')),
    exampleVersion: versionOnReal,
    operator:
      operator.runs === 'cluster'
        ? await clusterOperator(kubectl, node, operator.namespace)
        : machineOperator(
            // Others may look after other namespaces of this Kubernetes.
            await startOnMachine({ KUBECONFIG: kubectl.kubeconfigPath, QUORATE_NAMESPACES: namespace }),
          ),
    node,
    freezeApi: undefined,
  };
}

const exampleFile = 'deploy/examples/etcd-cluster.yaml';
/** Real nodes need an image of the very version; this is the one that all tests use. */
const versionOnReal = '3.4.23';

const versionOf = (example: string): string => /version: "(.+)"/.exec(example)?.[1] ?? '';

async function writeExample(path: string): Promise<string> {
  const example = await readFile(exampleFile, 'utf8');
  await writeFile(path, example.replace(versionOf(example), versionOnReal));
  return path;
}

const namespaceOf = (name: string) => ({
  apiVersion: 'v1',
  kind: 'Namespace',
  metadata: {
    name,
    // The pods that reach into nodes are privileged.
    labels: { ...testNamespaceLabels(), 'pod-security.kubernetes.io/enforce': 'privileged' },
  },
});
