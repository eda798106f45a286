import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { KubeObject } from '../../kube/object.ts';
import { parseFieldSelector, parseLabelSelector } from './selectors.ts';

const labelled = (labels: Record<string, string>): KubeObject => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name: 'one', namespace: 'default', labels },
});

const cases: [selector: string, labels: Record<string, string>, matches: boolean][] = [
  ['', {}, true],
  ['app=etcd', { app: 'etcd' }, true],
  ['app==etcd', { app: 'redis' }, false],
  ['app!=etcd', {}, true],
  ['app!=etcd', { app: 'etcd' }, false],
  ['app', { app: '' }, true],
  ['!app', { app: 'etcd' }, false],
  ['!app', {}, true],
  ['app in (etcd, redis)', { app: 'redis' }, true],
  ['app in (etcd,redis)', {}, false],
  ['app notin (etcd)', {}, true],
  ['app notin (etcd)', { app: 'etcd' }, false],
  ['app in (etcd,redis),tier=db', { app: 'etcd', tier: 'db' }, true],
  ['app in (etcd,redis),tier=db', { app: 'etcd' }, false],
  ['quorate.io/member=1', { 'quorate.io/member': '1' }, true],
];

for (const [selector, labels, matches] of cases) {
  test(`label selector '${selector}' on ${JSON.stringify(labels)}: ${matches}`, () => {
    assert.equal(parseLabelSelector(selector)(labelled(labels)), matches);
  });
}

test('what is no label selector is refused', () => {
  for (const text of ['a b', '=x', 'app in etcd', 'app>>1']) {
    assert.throws(() => parseLabelSelector(text), /couldn't parse the selector/, text);
  }
});

test('field selectors choose by name, by what the kind offers, and refuse anything else', () => {
  const pod: KubeObject = { ...labelled({}), spec: { nodeName: 'a' }, status: { phase: 'Running' } };
  assert.equal(parseFieldSelector('metadata.name=one,spec.nodeName=a', 'Pod')(pod), true);
  assert.equal(parseFieldSelector('status.phase!=Running', 'Pod')(pod), false);
  assert.equal(parseFieldSelector('spec.nodeName=', 'Pod')(labelled({})), true);
  assert.throws(() => parseFieldSelector('spec.foo=1', 'Pod'), /field label not supported: spec.foo/);
});
