import { after, describe, test } from 'node:test';
import { until } from '../../wait.ts';
import { nextImageVariable } from '../bench/bench.ts';
import { helmOf, releaseName } from '../bench/helm.ts';
import { services } from '../bench/operator.ts';
import { createCluster } from '../cluster.ts';
import { morePasses } from '../passes.ts';
import { openStage } from '../stage.ts';
import { assertUntouched, fingerprint } from '../untouched.ts';

const { stage, watched } = await openStage();
const { operator: where } = stage.bench;
const nextImage = process.env[nextImageVariable];

const skip =
  where.runs !== 'cluster'
    ? 'Quorate runs on this machine, where nothing is installed to upgrade'
    : nextImage === undefined && 'it needs a second image: --next-image';

describe('another version of Quorate', { skip }, () => {
  const namespace = where.runs === 'cluster' ? where.namespace : '';
  const helm = helmOf(stage.bench);
  const here = ['--namespace', namespace, '--wait', '--timeout', '3m'];

  after(() => helm('rollback', releaseName, '1', ...here));

  /** The version that each process of the services says it has, in the first line of its log. */
  const versions = async () => {
    const logs = await Promise.all(services.map((service) => stage.operator.wholeLog(service)));
    return logs.flatMap((log) => [...log.values()].map(([first]) => first?.['version']));
  };

  test('adopts the clusters that run, touches none of their members, and looks after them', async (t) => {
    const create = (name: string, size: number, claims: boolean) =>
      createCluster({ stage, watched }, t, name, { size, claims });
    const clusters = await Promise.all([create('kept', 3, true), create('light', 1, false)]);
    const before = await Promise.all(clusters.map(({ name }) => fingerprint(stage, name)));
    const seen = clusters.map(({ name }) => watched.decisions(name).length);
    const [old] = await versions();
    const colon = (nextImage ?? '').lastIndexOf(':');

    await helm(
      ...['upgrade', releaseName, 'deploy/helm/quorate', '--reuse-values', ...here],
      ...['--set', `image.repository=${nextImage?.slice(0, colon)}`],
      ...['--set', `image.tag=${nextImage?.slice(colon + 1)}`],
    );
    await until(
      'all services run the other version alone',
      async () => {
        const present = await versions();
        return (
          present.length >= services.length && present.every((each) => each !== undefined && each !== old)
        );
      },
      60_000,
    );
    for (const [index, cluster] of clusters.entries()) {
      // Nothing has happened to it; it gets a pass because it is another version's now.
      const passes = () => watched.decisions(cluster.name).length;
      await cluster.until('the new version has seen it', () => passes() > (seen[index] ?? 0));
      await morePasses(stage, watched, cluster.name, 1);
      await cluster.settled(cluster.pods().length);
      await assertUntouched(stage, cluster.name, before[index] ?? []);
      await cluster.verify();
    }

    await stage.kubectl('scale', 'etcdcluster', 'light', '--replicas=3');
    await clusters[1].settled(3);
    for (const cluster of clusters) await cluster.finish();
  });
});
