import { createInterface } from 'node:readline';
import type { ProcessDefinition } from './managed.ts';

/** The embedded Kubernetes-compatible API and node, on a port of its own so that it comes back at the same address. */
export function sandbox(place: {
  main: string;
  port: number;
  dir: string;
  logPath: string;
  environment: Record<string, string | undefined>;
  /** Images with a root file system of their own: `<name>:<version>` → folder. */
  images: Record<string, string>;
  onReady: (kubeconfigPath: string) => void;
}): ProcessDefinition {
  return {
    name: 'sandbox',
    command: [
      process.execPath,
      ...[place.main, '--dir', place.dir, '--port', String(place.port)],
      ...Object.entries(place.images).flatMap(([reference, root]) => ['--image', `${reference}=${root}`]),
    ],
    environment: place.environment,
    logPath: place.logPath,
    ipc: true,
    readsStdout: true,
    async ready(child, ended) {
      if (child.stdout === null) throw new Error('the sandbox has no stdout');
      const lines = createInterface({ input: child.stdout });
      ended.addEventListener('abort', () => lines.close());
      for await (const line of lines) {
        const [, kubeconfigPath] = /^KUBECONFIG=(.+)$/.exec(line) ?? [];
        if (kubeconfigPath === undefined) continue;
        // Whatever else it may print must not fill the pipe.
        child.stdout.resume();
        place.onReady(kubeconfigPath);
        return;
      }
      throw new Error('the sandbox ended before it was ready');
    },
  };
}
