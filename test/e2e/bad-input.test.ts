import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { KubeObject } from '../../libs/kube/object.ts';
import { until } from '../wait.ts';
import { morePasses, stepsDone } from './passes.ts';
import { conditionOf, etcdCluster, openStage, statusOf } from './stage.ts';
import { assertUntouched, fingerprint } from './untouched.ts';

const version = '3.4.23';

const { stage, watched } = await openStage();

describe('what the schema knows to be wrong is refused by the API, with a message that names the field', () => {
  // Where kubectl of an older Kubernetes checks by itself, it has its own words.
  const refusals: [what: string, spec: object, named: RegExp][] = [
    ['size: 0', { size: 0 }, /spec\.size: Invalid value.*greater than or equal to 1/],
    ['size: 8', { size: 8 }, /spec\.size: Invalid value.*less than or equal to 7/],
    ['size: three', { size: 'three' }, /spec\.size.*integer/],
    ['no size', { version }, /spec\.size: Required value|EtcdCluster\.spec\): missing required field "size"/],
    ['a version that is no version', { size: 3, version: 'latest' }, /spec\.version: Invalid value/],
    [
      'a domain that is none',
      { size: 3, pod: { ClusterDomain: 'a b' } },
      /spec\.pod\.ClusterDomain: Invalid/,
    ],
    [
      'a variable without a name',
      { size: 3, pod: { etcdEnv: [{ value: '1' }] } },
      /etcdEnv(\[0\])?\.name: Required/,
    ],
    ['an unknown field', { size: 3, sise: 3 }, /unknown field "(spec\.)?sise"/],
    ['an unknown field of the pod', { size: 3, pod: { lables: {} } }, /unknown field "(spec\.pod\.)?lables"/],
  ];
  for (const [what, spec, named] of refusals) {
    test(what, async () => {
      assert.match(await stage.refused(etcdCluster('refused', spec)), named);
      assert.equal(await stage.get('etcd', 'refused'), undefined);
    });
  }
});

/** Waits until the resource says that it is blocked by what `message` matches. */
const blocked = (name: string, message: RegExp): Promise<KubeObject> =>
  until(`${name} says that it is blocked by ${message}`, async () => {
    const resource = await stage.get('etcd', name);
    const condition = conditionOf(resource, 'Blocked');
    return condition?.status === 'True' && message.test(condition.message) && resource;
  });

const unblocked = (name: string): Promise<unknown> =>
  until(`${name} says that it is not blocked any more`, async () => {
    return conditionOf(await stage.get('etcd', name), 'Blocked')?.status === 'False';
  });

const patch = (name: string, spec: object): Promise<string> =>
  stage.kubectl('patch', 'etcd', name, '--type=merge', '-p', JSON.stringify({ spec }));

describe('what the schema cannot know is said by a condition, and nothing is made', {
  concurrency: 4,
}, () => {
  const names: [name: string, problem: RegExp][] = [
    ['1abc', /must begin with a letter/],
    ['a.b', /only lower-case letters, digits and dashes/],
    [`long-${'g'.repeat(60)}`, /longer than 56 characters/],
  ];
  for (const [name, problem] of names) {
    test(`a cluster cannot be called ${name}`, async () => {
      await stage.apply(etcdCluster(name, { size: 1, version }));
      const resource = await blocked(name, problem);
      assert.match(
        conditionOf(resource, 'Blocked')?.message ?? '',
        /metadata\.name.*What you can do: create/,
      );
      assert.equal(conditionOf(resource, 'Blocked')?.reason, 'InvalidName');
      assert.deepEqual(watched.pods(name), []);
      await stage.kubectl('delete', 'etcd', name, '--timeout=30s');
    });
  }

  test('reserved labels are named, and the cluster appears when they are corrected', async () => {
    const labels = { app: 'mine', 'quorate.io/member': '7' };
    await stage.apply(etcdCluster('labelled', { size: 1, version, pod: { labels } }));
    const resource = await blocked('labelled', /spec\.pod\.labels: .*remove app, quorate\.io\/member/);
    assert.equal(conditionOf(resource, 'Blocked')?.reason, 'InvalidSpec');
    assert.deepEqual(watched.pods('labelled'), []);
    await patch('labelled', { pod: { labels: { app: null, 'quorate.io/member': null, team: 'mine' } } });
    await stage.settled('labelled', 1);
    assert.equal(watched.pods('labelled')[0]?.metadata.labels?.['team'], 'mine');
    await unblocked('labelled');
  });

  test('a pod that the API refuses is said on the resource with the cause, and the cluster appears when corrected', async () => {
    const pod = { resources: { requests: { memory: 'much' } } };
    await stage.apply(etcdCluster('quantity', { size: 1, version, pod }));
    await blocked('quantity', /pod.*quantities must match/i);
    assert.deepEqual(watched.pods('quantity'), []);
    await patch('quantity', { pod: { resources: { requests: { memory: '64Mi' } } } });
    await stage.settled('quantity', 1);
    await unblocked('quantity');
  });

  test('a label value that the API refuses is said on the resource with the cause', async () => {
    const pod = { labels: { team: 'not a label value!' } };
    await stage.apply(etcdCluster('value', { size: 1, version, pod }));
    await blocked('value', /not a label value!/);
    await patch('value', { pod: { labels: { team: 'mine' } } });
    await stage.settled('value', 1);
    await unblocked('value');
  });
});

describe('a running cluster is left as it is while its resource is bad, and goes on when corrected', {
  concurrency: 4,
}, () => {
  test('a version that etcd cannot be brought to is refused and changes no pod', async () => {
    await stage.apply(etcdCluster('upgraded', { size: 3, version }));
    await stage.settled('upgraded', 3);
    const before = await fingerprint(stage, 'upgraded');
    await patch('upgraded', { version: '3.6.1' });
    const resource = await blocked('upgraded', /set spec\.version to a version of 3\.5 first/);
    assert.equal(conditionOf(resource, 'Blocked')?.reason, 'VersionRefused');
    assert.equal(conditionOf(resource, 'Available')?.status, 'True');
    assert.equal(statusOf(resource).phase, 'Running');
    await morePasses(stage, watched, 'upgraded', 2);
    await assertUntouched(stage, 'upgraded', before);
    await patch('upgraded', { version });
    await stage.settled('upgraded', 3);
    await unblocked('upgraded');
    await assertUntouched(stage, 'upgraded', before);
  });

  test('reserved labels and a new size at once: nothing is done, not even the size, until the labels are gone', async () => {
    await stage.apply(etcdCluster('edited', { size: 3, version }));
    await stage.settled('edited', 3);
    const before = await fingerprint(stage, 'edited');
    await patch('edited', { size: 4, pod: { labels: { etcd_cluster: 'other' } } });
    await blocked('edited', /remove etcd_cluster/);
    const passes = await morePasses(stage, watched, 'edited', 2);
    assert.deepEqual(stepsDone(passes), []);
    await assertUntouched(stage, 'edited', before);
    await patch('edited', { pod: null });
    await stage.settled('edited', 4);
    await unblocked('edited');
  });

  test('a pod policy that the API refuses stops nothing that runs', async () => {
    await stage.apply(etcdCluster('policy', { size: 1, version }));
    await stage.settled('policy', 1);
    const before = await fingerprint(stage, 'policy');
    await patch('policy', { pod: { resources: { limits: { cpu: 'fast' } } } });
    await morePasses(stage, watched, 'policy', 2);
    await assertUntouched(stage, 'policy', before);
    await stage.settled('policy', 1);
  });

  test('an edit that the API refuses leaves resource and cluster as they were', async () => {
    await stage.apply(etcdCluster('refuses', { size: 1, version }));
    await stage.settled('refuses', 1);
    const before = await fingerprint(stage, 'refuses');
    assert.match(await stage.refused(etcdCluster('refuses', { size: 0, version })), /spec\.size/);
    await morePasses(stage, watched, 'refuses', 1);
    await stage.settled('refuses', 1);
    await assertUntouched(stage, 'refuses', before);
  });
});
