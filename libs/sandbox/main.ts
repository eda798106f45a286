import { once } from 'node:events';
import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { messageOf, QuorateError } from '../errors/catalogue.ts';
import { runProcess } from '../service/process.ts';
import { createStore } from './memory.ts';
import { SandboxNode } from './node/node.ts';
import { startApi } from './server.ts';

const usage = 'main.ts --dir DIR [--port N] [--image NAME:VERSION=ROOT]...';

interface Arguments {
  directory: string;
  port: number;
  imageRoots: Map<string, string>;
}

/** Reads the command line; throws CONFIG_INVALID saying what is wrong. */
function readArguments(args: string[]): Arguments {
  const { values } = parsed(args);
  const port = Number(values.port);
  if (!values.dir) throw new QuorateError('CONFIG_INVALID', `--dir is missing: ${usage}`);
  if (!Number.isInteger(port) || port < 0 || port > 65_535) {
    throw new QuorateError('CONFIG_INVALID', `--port is no port: ${usage}`);
  }
  const images = values.image.map((given) => {
    const [, reference, root] = /^([^=:]+:[^=:]+)=(.+)$/.exec(given) ?? [];
    if (!reference || !root) throw new QuorateError('CONFIG_INVALID', `--image ${given}: ${usage}`);
    return [reference, resolve(root)] as const;
  });
  return { directory: resolve(values.dir), port, imageRoots: new Map(images) };
}

function parsed(args: string[]) {
  try {
    return parseArgs({
      args,
      options: {
        dir: { type: 'string' },
        port: { type: 'string', default: '0' },
        image: { type: 'string', multiple: true, default: [] },
      },
    });
  } catch (error) {
    throw new QuorateError('CONFIG_INVALID', `${messageOf(error)}: ${usage}`);
  }
}

await runProcess('sandbox', async ({ log, signal }) => {
  const { directory, port, imageRoots } = readArguments(process.argv.slice(2));
  const store = createStore();
  const node = await SandboxNode.start({ store, folder: directory, imageRoots, log });
  try {
    const allocateClusterIp = () => node.allocateClusterIp();
    const { runtime } = node;
    const api = await startApi({ store, directory, port, runtime, node, allocateClusterIp, log });
    console.log(`KUBECONFIG=${api.kubeconfigPath}`);
    if (!signal.aborted) await once(signal, 'abort');
    await api.close();
  } finally {
    await node.close();
  }
});
