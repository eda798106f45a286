import type { Command } from 'commander';
import { engineOf, engines } from '../../../libs/engines/index.ts';
import { connectKube } from '../../../libs/kube/client.ts';
import { parseKey } from '../../../libs/kube/key.ts';
import { presentNamespace } from '../../../libs/kube/kubeconfig.ts';
import { findPlace } from '../follow/place.ts';
import { type Foreseen, foreseeDeletion, foreseeEdit, type Looking } from '../foresee/foresee.ts';
import { readManifests } from '../foresee/manifest.ts';
import { approvalLines, forecastLines } from '../show/forecast.ts';
import { paintFor } from '../show/paint.ts';
import { openScreen } from '../show/screen.ts';

interface PlanOptions {
  file?: string;
  delete?: string;
  namespace?: string;
  json?: true;
  approve?: true;
  kube?: string;
  dir: string;
}

const help = `
It looks at the cluster once, asks the API to try the edit, and simulates from there on:
each step in order, what serves meanwhile, and where it ends or which rule blocks it.
Nothing is changed. It asks the members themselves, so it must be able to reach pods.

Examples:
  quorate plan -f changed.yaml
  kubectl get etcd example-etcd-cluster -o yaml | sed 's/size: 3/size: 5/' | quorate plan -f -
  quorate plan --delete etcd/default/example-etcd-cluster`;

export function addPlan(program: Command): void {
  program
    .command('plan')
    .description('show what an edit would do before it is applied')
    .option('-f, --file <file>', 'the edited resource, YAML or JSON; - reads standard input')
    .option('--delete <key>', 'the deletion of a cluster instead: <engine>/<namespace>/<name>')
    .option('-n, --namespace <namespace>', 'where the file names none; by default that of the kubeconfig')
    .option('--approve', 'print the hash of the plan, and how to approve it')
    .option('--json', 'print JSON')
    .option('--kube <id>', 'the id of the Kubernetes cluster of that API (default: QUORATE_KUBE or local)')
    .option('--dir <dir>', 'the folder of the run to ask', '.quorate')
    .addHelpText('after', help)
    .action(plan);
}

async function plan(options: PlanOptions, command: Command): Promise<void> {
  const key = options.delete === undefined ? undefined : parseKey(options.delete);
  const deleted = key && engineOf(key.engine);
  if (options.delete !== undefined && !deleted) {
    command.error(`error: "${options.delete}" is no key; use <engine>/<namespace>/<name>`);
  }
  if ((options.file === undefined) === (key === undefined)) {
    command.error('error: name a file with -f, or a cluster with --delete');
  }
  const { kube: id, kubeconfigPath } = await findPlace(options.dir, options.kube);
  const kube = connectKube({ id, kubeconfigPath });
  // All that it would write is only tried.
  const dryKube = connectKube({ id, kubeconfigPath, dryRun: true });
  const looking: Looking = { kube, nowMs: Date.now(), signal: new AbortController().signal };
  try {
    const foreseen: Foreseen[] = [];
    if (key && deleted) foreseen.push(await foreseeDeletion(looking, deleted, key));
    if (options.file !== undefined) {
      const namespace = options.namespace ?? presentNamespace(kubeconfigPath);
      for (const manifest of await readManifests(options.file, namespace, engines)) {
        foreseen.push(await foreseeEdit(looking, dryKube, manifest));
      }
    }
    show(foreseen, options);
  } finally {
    await Promise.all([kube.close(), dryKube.close()]);
  }
}

function show(foreseen: readonly Foreseen[], { json, approve }: PlanOptions): void {
  const screen = openScreen(process.stdout);
  if (json) {
    screen.line(JSON.stringify(foreseen, undefined, 2));
    return;
  }
  const paint = paintFor(process.stdout);
  for (const [index, each] of foreseen.entries()) {
    for (const line of [
      ...(index > 0 ? [''] : []),
      ...forecastLines(each, paint),
      ...approvalLines(each, approve === true),
    ])
      screen.line(line);
  }
}
