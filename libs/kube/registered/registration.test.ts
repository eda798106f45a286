import assert from 'node:assert/strict';
import { test } from 'node:test';
import { messageOf } from '../../errors/catalogue.ts';
import type { KubeObject } from '../object.ts';
import { registrationLabel, registrationsOf } from './registration.ts';

const secretToken = 'token-that-nobody-may-see';

const kubeconfig = (user: object = { token: secretToken }, cluster: object = {}) =>
  JSON.stringify({
    apiVersion: 'v1',
    kind: 'Config',
    'current-context': 'far',
    contexts: [{ name: 'far', context: { cluster: 'far', user: 'far' } }],
    clusters: [{ name: 'far', cluster: { server: 'https://far.example:6443', ...cluster } }],
    users: [{ name: 'far', user }],
  });

const secret = (name: string, id: string | undefined, text: string | undefined, day = 1): KubeObject => ({
  apiVersion: 'v1',
  kind: 'Secret',
  metadata: {
    name,
    namespace: 'quorate',
    creationTimestamp: `2026-01-0${day}T00:00:00Z`,
    labels: id === undefined ? {} : { [registrationLabel]: id },
  },
  ...(text !== undefined && { data: { kubeconfig: Buffer.from(text).toString('base64') } }),
});

function refusalOf(given: KubeObject): string {
  const { registered, refused } = registrationsOf([given], 'local');
  assert.equal(registered.size, 0);
  const message = messageOf(refused[0]?.error);
  assert.doesNotMatch(message, new RegExp(secretToken));
  return message;
}

test('a Secret with an id and a kubeconfig registers a kube', () => {
  const { registered, refused } = registrationsOf([secret('far', 'far-1', kubeconfig())], 'local');
  assert.deepEqual(refused, []);
  assert.deepEqual(registered.get('far-1'), { id: 'far-1', kubeconfig: kubeconfig() });
});

test('what is missing or wrong is named', () => {
  assert.match(refusalOf(secret('s', 'Far', kubeconfig())), /label quorate\.io\/kube is no id/);
  assert.match(refusalOf(secret('s', '', kubeconfig())), /label quorate\.io\/kube is no id/);
  assert.match(refusalOf(secret('s', 'far', undefined)), /key kubeconfig is missing or empty/);
  assert.match(refusalOf(secret('s', 'far', ' ')), /key kubeconfig is missing or empty/);
  assert.match(refusalOf(secret('s', 'far', `${secretToken}: [`)), /it is no YAML/);
  assert.match(refusalOf(secret('s', 'far', 'just text')), /kubeconfig/);
  assert.match(
    refusalOf(secret('s', 'far', kubeconfig().replace('"far","contexts"', '"no","contexts"'))),
    /no cluster for context "no"/,
  );
  const ftp = kubeconfig({}, { server: `ftp://user:${secretToken}@far.example` });
  assert.match(refusalOf(secret('s', 'far', ftp)), /clusters\.0\.cluster\.server/);
});

test('programs and files of ours are nothing that a kubeconfig may name', () => {
  for (const field of [
    'exec',
    'auth-provider',
    'tokenFile',
    'token-file',
    'client-certificate',
    'client-key',
  ]) {
    const message = refusalOf(secret('s', 'far', kubeconfig({ [field]: '/etc/passwd' })));
    assert.match(message, new RegExp(`users\\.0\\.user: ${field} is refused`), field);
  }
  const authority = kubeconfig({ token: secretToken }, { 'certificate-authority': '/etc/passwd' });
  assert.match(
    refusalOf(secret('s', 'far', authority)),
    /clusters\.0\.cluster: certificate-authority is refused/,
  );
});

test('an id is the one of the oldest Secret, and never the one of home', () => {
  const secrets = [
    secret('newer', 'far', kubeconfig(), 2),
    secret('older', 'far', kubeconfig({ token: 'older' }), 1),
    secret('same', 'local', kubeconfig(), 1),
  ];
  const { registered, refused } = registrationsOf(secrets, 'local');
  assert.deepEqual([...registered.values()], [{ id: 'far', kubeconfig: kubeconfig({ token: 'older' }) }]);
  assert.deepEqual(
    refused.map(({ secret: { metadata }, error }) => [metadata.name, messageOf(error).split(': ').at(-1)]),
    [
      ['same', 'the id local is taken by the Kubernetes cluster that Quorate runs in'],
      ['newer', 'the id far is taken by the Secret older'],
    ],
  );
});
