import type { Command } from 'commander';
import { engines } from '../../../libs/engines/index.ts';
import { messageOf } from '../../../libs/errors/catalogue.ts';
import { connectKube, type WatchableKube } from '../../../libs/kube/client.ts';
import { parseKey } from '../../../libs/kube/key.ts';
import { followClusters, readClusters } from '../follow/clusters.ts';
import { followDecisions, readDecisions } from '../follow/decisions.ts';
import { findPlace } from '../follow/place.ts';
import { createClusterState } from '../follow/state.ts';
import type { ClusterView } from '../show/cluster.ts';
import { logTo } from '../show/log.ts';
import { paintFor } from '../show/paint.ts';
import { openScreen } from '../show/screen.ts';
import { clusterLines } from '../show/table.ts';

interface StatusOptions {
  watch?: true;
  json?: true;
  kube?: string;
  dir: string;
}

const help = `
It reads the API that KUBECONFIG names, or else that of the "quorate up" which runs in
this folder. What the last pass found and decided comes from NATS_URL or that run.

Examples:
  quorate status
  quorate status --watch
  quorate status etcd/default/example-etcd-cluster --json`;

/** What NATS has not answered after this long is left out. */
const busTimeoutMs = 2_000;

export function addStatus(program: Command): void {
  program
    .command('status')
    .description('show every cluster, its members and what is being done')
    .argument('[key]', 'only this cluster: <engine>/<namespace>/<name>')
    .option('-w, --watch', 'go on showing it, drawn anew on every change')
    .option('--json', 'print JSON, with --watch a line for every change')
    .option('--kube <id>', 'the id of the Kubernetes cluster of that API (default: QUORATE_KUBE or local)')
    .option('--dir <dir>', 'the folder of the run to ask', '.quorate')
    .addHelpText('after', help)
    .action(status);
}

interface Sources {
  kube: WatchableKube;
  natsUrl: string | undefined;
}

async function status(key: string | undefined, options: StatusOptions, command: Command): Promise<void> {
  if (key !== undefined && parseKey(key) === undefined) {
    command.error(`error: "${key}" is no key; use <engine>/<namespace>/<name>`);
  }
  const { kube: id, kubeconfigPath, natsUrl } = await findPlace(options.dir, options.kube);
  const kube = connectKube({ id, kubeconfigPath });
  const show = shower(key, options);
  try {
    await (options.watch ? watch : once)({ kube, natsUrl }, show);
  } finally {
    await kube.close();
  }
}

type Show = (views: ClusterView[]) => void;

function shower(key: string | undefined, { json, watch }: StatusOptions): Show {
  const screen = openScreen(process.stdout);
  const paint = paintFor(process.stdout);
  let last = '';
  return (all) => {
    const views = all.filter((view) => key === undefined || view.key === key);
    if (json) {
      const text = watch ? JSON.stringify(views) : JSON.stringify(views, undefined, 2);
      if (text !== last) screen.line(text);
      last = text;
      return;
    }
    const lines = views.length > 0 ? clusterLines(views, paint) : ['No clusters.'];
    if (watch && screen.isTerminal) return screen.region(lines);
    const text = lines.join('\n');
    if (text !== last) screen.line(last === '' ? text : `\n${text}`);
    last = text;
  };
}

async function once({ kube, natsUrl }: Sources, show: Show): Promise<void> {
  const state = createClusterState(engines);
  const decisions = async () => {
    if (natsUrl === undefined) return;
    const signal = AbortSignal.timeout(busTimeoutMs);
    try {
      const records = await readDecisions({ natsUrl, kube: kube.id, log: silent, since: 'last', signal });
      for (const decision of records) state.decision(decision);
    } catch (error) {
      console.error(`Without what the last passes decided: ${messageOf(error)}`);
    }
  };
  await Promise.all([readClusters(kube, engines, state), decisions()]);
  show(state.views());
}

async function watch({ kube, natsUrl }: Sources, show: Show): Promise<void> {
  const stop = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => stop.abort());
  const { signal } = stop;
  const state = createClusterState(engines);
  const log = logTo((line) => console.error(line));
  // The first view is a whole one, and an API that cannot be used is an error before anything is followed.
  await readClusters(kube, engines, state);
  let burst: NodeJS.Timeout | undefined;
  const changed = () => {
    burst ??= setTimeout(() => {
      burst = undefined;
      show(state.views());
    }, 40);
  };
  changed();
  await Promise.all([
    followClusters({ kube, engines, log, signal }, state, changed),
    natsUrl === undefined
      ? undefined
      : followDecisions({ natsUrl, kube: kube.id, log, since: 'last', signal }, (decision) => {
          state.decision(decision);
          changed();
        }),
  ]);
  clearTimeout(burst);
}

const silent = logTo(() => {});
