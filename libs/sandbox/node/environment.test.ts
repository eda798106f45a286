import assert from 'node:assert/strict';
import { test } from 'node:test';
import { environmentOf, fieldOf } from './environment.ts';
import { Waiting } from './spec.ts';

const pod = {
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name: 'p', namespace: 'n', uid: 'u', labels: { 'a.b/c': 'l', d: 'e"f' } },
  spec: { nodeName: 'sandbox' },
  status: { podIP: '127.9.0.2' },
};

const read = (kind: string, name: string) =>
  kind === 'ConfigMap' && name === 'there' ? { key: Buffer.from('value') } : undefined;

test('later entries see earlier ones, and objects are read', () => {
  const env = [
    { name: 'KEY', valueFrom: { configMapKeyRef: { name: 'there', key: 'key' } } },
    { name: 'IP', valueFrom: { fieldRef: { fieldPath: 'status.podIP' } } },
    { name: 'BOTH', value: '$(IMAGE) $(KEY) $(IP) $(LATER)' },
    { name: 'LATER', value: 'x' },
    { name: 'NONE', valueFrom: { secretKeyRef: { name: 'missing', key: 'k', optional: true } } },
  ];
  const envFrom = [{ prefix: 'P_', configMapRef: { name: 'there' } }];
  assert.deepEqual(environmentOf(pod, { name: 'c', env, envFrom }, { IMAGE: 'i' }, read), {
    IMAGE: 'i',
    P_key: 'value',
    KEY: 'value',
    IP: '127.9.0.2',
    BOTH: 'i value 127.9.0.2 $(LATER)',
    LATER: 'x',
  });
});

test('what is missing makes the container wait, with the reason', () => {
  const from = (valueFrom: object) => () =>
    environmentOf(pod, { name: 'c', env: [{ name: 'X', valueFrom }] }, {}, read);
  const waits = (message: RegExp) => (error: unknown) =>
    error instanceof Waiting && error.reason === 'CreateContainerConfigError' && message.test(error.message);
  assert.throws(from({ secretKeyRef: { name: 's', key: 'k' } }), waits(/secret "s" not found/));
  assert.throws(from({ configMapKeyRef: { name: 'there', key: 'k' } }), waits(/key k in configmap "there"/));
  assert.throws(from({ fieldRef: { fieldPath: 'spec.none' } }), waits(/spec\.none/));
});

test('the downward API knows labels, one or all', () => {
  assert.equal(fieldOf(pod, "metadata.labels['a.b/c']"), 'l');
  assert.equal(fieldOf(pod, "metadata.labels['none']"), '');
  assert.equal(fieldOf(pod, 'metadata.labels'), 'a.b/c="l"\nd="e\\"f"');
  assert.equal(fieldOf(pod, 'spec.nodeName'), 'sandbox');
});
