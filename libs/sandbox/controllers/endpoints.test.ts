import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { KubeObject } from '../../kube/object.ts';
import { subsetsOf } from './endpoints.ts';

const service = (spec: object): KubeObject => ({
  apiVersion: 'v1',
  kind: 'Service',
  metadata: { name: 'db', namespace: 'default' },
  spec: { selector: { app: 'db' }, ports: [{ name: 'client', port: 80, targetPort: 'http' }], ...spec },
});

const pod = (name: string, ip: string, ready: boolean): KubeObject => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name, namespace: 'default', uid: name, labels: { app: 'db' } },
  spec: {
    hostname: name,
    subdomain: 'db',
    containers: [{ name: 'c', ports: [{ name: 'http', containerPort: 8080 }] }],
  },
  status: { phase: 'Running', podIP: ip, conditions: [{ type: 'Ready', status: ready ? 'True' : 'False' }] },
});

const address = (name: string, ip: string) => ({
  ip,
  hostname: name,
  targetRef: { kind: 'Pod', namespace: 'default', name, uid: name },
});
const ports = [{ name: 'client', port: 8080, protocol: 'TCP' }];

test('addresses are told apart by readiness, ports are those of the containers', () => {
  assert.deepEqual(subsetsOf(service({}), [pod('a', '127.1.0.1', true), pod('b', '127.1.0.2', false)]), [
    { addresses: [address('a', '127.1.0.1')], notReadyAddresses: [address('b', '127.1.0.2')], ports },
  ]);
});

test('a service that publishes unready members has them all', () => {
  assert.deepEqual(subsetsOf(service({ publishNotReadyAddresses: true }), [pod('b', '127.1.0.2', false)]), [
    { addresses: [address('b', '127.1.0.2')], ports },
  ]);
});

test('pods that have finished, have no address yet, or belong to others are left out', () => {
  const finished = { ...pod('a', '127.1.0.1', true), status: { phase: 'Failed', podIP: '127.1.0.1' } };
  const early = { ...pod('b', '', false), status: { phase: 'Pending' } };
  const other = pod('c', '127.1.0.3', true);
  const others = { ...other, metadata: { ...other.metadata, labels: { app: 'x' } } };
  assert.deepEqual(subsetsOf(service({}), [finished, early, others]), []);
});
