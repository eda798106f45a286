import { until } from '../wait.ts';
import { type Stage, statusOf } from './stage.ts';

/**
 * Deletes with kubectl, by force, what a cluster is to lose at once. It is paused meanwhile: kubectl deletes one after the
 * other, and a member that is lost alone is replaced.
 */
export async function loseAtOnce(stage: Stage, name: string, ...what: string[]): Promise<void> {
  const pause = (paused: boolean) =>
    stage.kubectl('patch', 'etcd', name, '--type=merge', '-p', JSON.stringify({ spec: { paused } }));
  await pause(true);
  await until(
    `${name} is paused`,
    async () => statusOf(await stage.get('etcd', name)).controlPaused === true,
  );
  await stage.kubectl('delete', ...what, '--force', '--grace-period=0');
  await pause(false);
}
