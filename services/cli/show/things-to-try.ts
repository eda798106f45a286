import { dirname } from 'node:path';

/** Where kubectl was found, and whether the user's own shell would find that one too. */
export interface KubectlPlace {
  path: string;
  onPath: boolean;
}

/** What to type in another terminal to reach the API with kubectl. Pure. */
export function howToReach(kubeconfigPath: string, kubectl: KubectlPlace): string[] {
  return [
    'In another terminal:',
    '',
    ...(kubectl.onPath ? [] : [`  export PATH=${quoted(dirname(kubectl.path))}:"$PATH"`]),
    `  export KUBECONFIG=${quoted(kubeconfigPath)}`,
  ];
}

/** Four things to try with the example. */
export function thingsToTry(): string[] {
  const name = 'example-etcd-cluster';
  return [
    'Four things to try:',
    '',
    '  1. Look at it; describe says what was done and why:',
    `       kubectl get etcd,pods && kubectl describe etcd ${name}`,
    '  2. Write and read with etcd itself:',
    `       kubectl exec ${name}-1 -- etcdctl put greeting hello`,
    `       kubectl exec ${name}-2 -- etcdctl get greeting`,
    '  3. Scale it to five members:',
    `       kubectl scale etcdcluster ${name} --replicas=5`,
    '  4. Take a member away and watch it heal:',
    `       kubectl delete pod ${name}-1 --wait=false && npx quorate status --watch`,
    '',
  ];
}

/** As a POSIX shell reads it back; bare where nothing in it is special. */
export function quoted(text: string): string {
  return /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`;
}
