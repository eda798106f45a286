import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { KubeObject } from '../../kube/object.ts';
import { podHosts, serviceHosts } from './hosts.ts';

function pod(name: string, address: string, spec: object = {}, ready = true): KubeObject {
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, namespace: 'n', labels: { app: 'db' } },
    spec: { containers: [], ...spec },
    status: { podIP: address, conditions: [{ type: 'Ready', status: ready ? 'True' : 'False' }] },
  };
}

function service(name: string, spec: object): KubeObject {
  return { apiVersion: 'v1', kind: 'Service', metadata: { name, namespace: 'n' }, spec };
}

const headless = { clusterIP: 'None', selector: { app: 'db' } };

/** name → addresses, as a resolver would answer from the text. */
function names(text: string): Map<string, string[]> {
  const found = new Map<string, string[]>();
  for (const line of text.split('\n').filter(Boolean)) {
    const [address = '', ...all] = line.split(/\s+/);
    for (const name of all) found.set(name, [...(found.get(name) ?? []), address]);
  }
  return found;
}

test('a service with an address has all its names, the shortest only at home', () => {
  const services = [service('web', { clusterIP: '127.9.128.1' })];
  const home = names(serviceHosts(services, [], 'n'));
  assert.deepEqual([...home.keys()], ['web.n.svc.cluster.local', 'web.n.svc', 'web.n', 'web']);
  assert.equal(names(serviceHosts(services, [], 'other')).has('web'), false);
  assert.deepEqual(home.get('web.n.svc'), ['127.9.128.1']);
});

test('a headless service stands for its pods, and each pod for itself', () => {
  const named = { hostname: 'db-1', subdomain: 'db' };
  const pods = [pod('db-1', '127.9.0.2', named), pod('x', '127.9.0.3')];
  const found = names(serviceHosts([service('db', headless)], pods, 'n'));
  assert.deepEqual(found.get('db.n.svc'), ['127.9.0.2', '127.9.0.3']);
  assert.deepEqual(found.get('db-1.db.n.svc.cluster.local'), ['127.9.0.2']);
  assert.deepEqual(found.get('db-1.db'), ['127.9.0.2']);
  assert.equal(found.has('x.db'), false, 'a pod without a hostname has no name of its own');
});

test('a pod that is not ready counts only where the service says so', () => {
  const pods = [pod('db-1', '127.9.0.2', { hostname: 'db-1', subdomain: 'db' }, false)];
  assert.equal(serviceHosts([service('db', headless)], pods, 'n'), '');
  const published = service('db', { ...headless, publishNotReadyAddresses: true });
  assert.deepEqual(names(serviceHosts([published], pods, 'n')).get('db-1.db.n.svc'), ['127.9.0.2']);
});

test('finished pods and pods of other services have no place', () => {
  const finished = pod('a', '127.9.0.2');
  finished['status'] = { podIP: '127.9.0.2', phase: 'Succeeded' };
  const other = pod('b', '127.9.0.3');
  other.metadata.labels = { app: 'web' };
  const published = service('db', { ...headless, publishNotReadyAddresses: true });
  assert.equal(serviceHosts([published], [finished, other], 'n'), '');
});

test('the order of the objects does not matter', () => {
  const pods = [pod('a', '127.9.0.2'), pod('b', '127.9.0.3')];
  const services = [service('db', headless)];
  assert.equal(serviceHosts(services, pods, 'n'), serviceHosts(services, pods.toReversed(), 'n'));
});

test("a pod's own file begins with itself", () => {
  const text = podHosts(pod('db-1', '127.9.0.2', { hostname: 'h', subdomain: 'db' }), '127.9.128.1\tweb\n');
  const found = names(text);
  assert.deepEqual(found.get('h'), ['127.9.0.2']);
  assert.deepEqual(found.get('h.db.n.svc.cluster.local'), ['127.9.0.2']);
  assert.deepEqual(found.get('web'), ['127.9.128.1']);
});
