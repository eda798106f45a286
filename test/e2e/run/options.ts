import { parseArgs } from 'node:util';

export const usage = `npm run e2e -- [options]

The end-to-end tests, on the Kubernetes that KUBECONFIG names, or in the sandbox where it is not set.
Pods must be reachable by their addresses: run it on a node, or in a pod of that Kubernetes.

  --operator machine|cluster  where Quorate runs: as processes here, or installed by its chart
                              (default: cluster with KUBECONFIG, machine without)
  --image REF                 Quorate's image, with its tag (default: docker.io/library/quorate:dev)
  --next-image REF            an image of another version of Quorate, to upgrade to in a test
  --set KEY=VALUE             a value of the chart; may be given more than once
  --values FILE               values of the chart; may be given more than once
  --only NAME                 only the test files of that name, e.g. scale; may be given more than once
  --audit-log FILE            the API server's audit log: the rights of the services are compared with it`;

export interface Options {
  kubeconfig: string | undefined;
  operator: 'machine' | 'cluster';
  image: string;
  nextImage: string | undefined;
  /** As helm takes them. */
  helmArguments: string[];
  only: string[];
  auditLog: string | undefined;
}

/** Reads the command line; throws an error that says what is wrong with it. */
export function readOptions(args: string[], environment: Record<string, string | undefined>): Options {
  const list = { type: 'string', multiple: true, default: [] as string[] } as const;
  const { values } = parseArgs({
    args,
    options: {
      operator: { type: 'string' },
      image: { type: 'string', default: 'docker.io/library/quorate:dev' },
      'next-image': { type: 'string' },
      set: list,
      values: list,
      only: list,
      'audit-log': { type: 'string' },
    },
  });
  const kubeconfig = environment['KUBECONFIG'] || undefined;
  const operator = values.operator ?? (kubeconfig ? 'cluster' : 'machine');
  if (operator !== 'machine' && operator !== 'cluster') {
    throw new Error(`--operator is machine or cluster, not ${operator}`);
  }
  if (operator === 'cluster' && !kubeconfig) {
    throw new Error('--operator cluster needs a Kubernetes: set KUBECONFIG');
  }
  if (values['audit-log'] !== undefined && operator !== 'cluster') {
    throw new Error('--audit-log needs Quorate in the cluster, where it has accounts of its own');
  }
  return {
    kubeconfig,
    operator,
    image: values.image,
    nextImage: values['next-image'],
    helmArguments: [
      ...values.values.flatMap((file) => ['--values', file]),
      ...values.set.flatMap((each) => ['--set', each]),
    ],
    only: values.only,
    auditLog: values['audit-log'],
  };
}
