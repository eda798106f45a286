import type { Engine } from '../../../libs/engine/contract.ts';
import type { WatchableKube } from '../../../libs/kube/client.ts';
import type { Log } from '../../../libs/service/log.ts';
import { changeLines, stepLines } from '../show/changes.ts';
import type { ClusterView } from '../show/cluster.ts';
import type { Paint } from '../show/paint.ts';
import type { Screen } from '../show/screen.ts';
import { clusterLines } from '../show/table.ts';
import { followClusters } from './clusters.ts';
import { followDecisions } from './decisions.ts';
import { createClusterState } from './state.ts';

export interface ProgressOptions {
  kube: WatchableKube;
  natsUrl: string;
  engines: readonly Engine[];
  screen: Screen;
  paint: Paint;
  /** Prints one line of progress. */
  say: (line: string) => void;
  log: Log;
  since: Date;
  signal: AbortSignal;
}

export interface Progress {
  /** Resolves once all these clusters are settled; from then on changes are shown as lines on a terminal, too. */
  untilSettled(keys: readonly string[]): Promise<void>;
  /** Resolves when the signal is aborted; rejects where following failed for good. */
  ended: Promise<void>;
}

/** Changes come in bursts; one view for all of a burst is enough for a person. */
const burstMs = 40;

/** Shows what happens to all clusters: steps as lines, members in the region of a terminal or as lines, too. */
export function showProgress(options: ProgressOptions): Progress {
  const { kube, natsUrl, engines, screen, paint, say, log, since, signal } = options;
  const state = createClusterState(engines);
  const lastLines = new Map<string, string>();
  const waiting = new Set<(views: readonly ClusterView[]) => void>();
  let isLive = screen.isTerminal;
  let shown: readonly ClusterView[] = [];
  let burst: NodeJS.Timeout | undefined;

  const draw = () => {
    burst = undefined;
    if (signal.aborted) return;
    const views = state.views();
    if (isLive) screen.region(['', ...clusterLines(views, paint)]);
    else for (const line of changeLines(shown, views)) say(line);
    shown = views;
    for (const look of waiting) look(views);
  };
  const changed = () => {
    burst ??= setTimeout(draw, burstMs);
  };

  const ended = Promise.all([
    followClusters({ kube, engines, log, signal }, state, changed),
    followDecisions({ natsUrl, kube: kube.id, log, since, signal }, (decision) => {
      state.decision(decision);
      const lines = stepLines(decision, paint);
      // A pass that fails again in the same way is no news.
      const news = lines.join('\n');
      if (news !== lastLines.get(decision.key)) for (const line of lines) say(line);
      lastLines.set(decision.key, news);
      changed();
    }),
  ]).then(() => clearTimeout(burst));

  return {
    ended,
    async untilSettled(keys) {
      await new Promise<void>((resolve) => {
        const look = (views: readonly ClusterView[]) => {
          const settled = views.filter((view) => view.settled).map((view) => view.key);
          if (!keys.every((key) => settled.includes(key))) return;
          waiting.delete(look);
          resolve();
        };
        waiting.add(look);
        signal.addEventListener('abort', () => resolve());
        look(shown);
      });
      screen.region([]);
      if (isLive) for (const line of clusterLines(shown, paint)) screen.line(line);
      isLive = false;
    },
  };
}
