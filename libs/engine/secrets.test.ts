import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { comparable, openSecrets } from './secrets.ts';

const canary = 'canary-5f2d8c';
const key = 'a key of the digests';

test('the value of a variable is hidden wherever a list of variables stands, and the rest is left as it is', () => {
  const secrets = openSecrets(key);
  const pod = {
    metadata: { labels: { env: 'production' } },
    spec: {
      pod: {
        etcdEnv: [
          { name: 'A', value: canary, odd: 7 },
          { name: 'B', valueFrom: { secretKeyRef: { key: 'k' } } },
          canary,
        ],
      },
      containers: [{ name: 'etcd', env: [{ name: 'SHORT', value: '3' }] }],
    },
  };
  const hidden = secrets.hide(pod);
  const token = /^\(secret [0-9a-f]{4}-[0-9a-f]{16}\)$/;
  assert.match(String(hidden.spec.pod.etcdEnv[2]), token);
  assert.match(hidden.spec.containers[0]?.env[0]?.value ?? '', token);
  assert.deepEqual(hidden.spec.pod.etcdEnv[1], pod.spec.pod.etcdEnv[1]);
  assert.deepEqual(hidden.metadata, pod.metadata);
  assert.doesNotMatch(JSON.stringify(hidden), /canary|"odd":7/);
  assert.deepEqual(secrets.reveal(hidden), pod);
  assert.deepEqual(secrets.hide(hidden), hidden, 'what is hidden already stays as it is');
});

test('a known secret is hidden in texts, also line by line and escaped, and no name is torn', () => {
  const secrets = openSecrets(key, ['my-cluster']);
  const lines = 'first line of it\nsecond "line"';
  const values = [canary, lines, 'my-cluster', 'short'];
  secrets.learn({ spec: { env: values.map((value) => ({ name: 'A', value })) } });
  const texts = [
    `exit code 1: ${canary}`,
    `{"msg":"${canary}"}`,
    JSON.stringify({ lines }),
    'the log ends: second "line"',
  ];
  for (const text of texts) {
    assert.doesNotMatch(JSON.stringify(secrets.hide({ text })), /canary|second|first/, text);
  }
  const names = { name: 'my-cluster-1', shape: 'headless my-cluster', other: 'a short one', at: canary };
  assert.deepEqual(secrets.hide(names), names);
  assert.doesNotMatch(secrets.hide(canary), /canary/, 'what is thrown is a text, however it looks');
});

test('a copy of a spec in an annotation is hidden as the spec is, also one of before', () => {
  const copy = JSON.stringify({ etcdEnv: [{ name: 'A', value: 'old' }], size: 3 });
  const hidden = openSecrets(key).hide({ annotations: { copy, other: '{not JSON' } });
  assert.match(
    hidden.annotations.copy,
    /^\{"etcdEnv":\[\{"name":"A","value":"\(secret [0-9a-f]{4}-[0-9a-f]{16}\)"\}\],"size":3\}$/,
  );
  assert.equal(hidden.annotations.other, '{not JSON');
});

test('what kubectl applied last goes, and a value keeps its token under one key and has another under another', () => {
  const annotations = { 'kubectl.kubernetes.io/last-applied-configuration': canary, kept: 'yes' };
  assert.deepEqual(openSecrets(key).hide({ annotations }), { annotations: { kept: 'yes' } });
  const tokenOf = (digestKey: string, value: string) =>
    JSON.stringify(openSecrets(digestKey).hide({ env: [{ value }] }));
  assert.equal(tokenOf(key, canary), tokenOf(key, canary));
  assert.notEqual(tokenOf(key, canary), tokenOf(key, `${canary}2`));
  assert.notEqual(tokenOf(key, canary), tokenOf('another key', canary));
});

test('of any JSON, what was hidden and is revealed is what it was', () => {
  const variable = fc.record(
    { name: fc.string(), value: fc.oneof(fc.string(), fc.integer()) },
    { noNullPrototype: true },
  );
  const json = fc.record(
    {
      env: fc.array(variable),
      deep: fc.record({ someEnv: fc.array(variable), n: fc.integer() }, { noNullPrototype: true }),
    },
    { noNullPrototype: true },
  );
  fc.assert(
    fc.property(json, (value) => {
      const secrets = openSecrets(key);
      assert.deepEqual(secrets.reveal(secrets.hide(value)), value);
    }),
  );
});

test('tokens of different keys are no difference, those of one key are', () => {
  const tokenOf = (value: string, digestKey: string) =>
    String(openSecrets(digestKey).hide({ env: [{ name: 'A', value }] }).env[0]?.value);
  const isSame = (one: string, other: string) => {
    const [left, right] = comparable(`it said ${one}`, `it said ${other}`);
    return left === right;
  };
  const other = 'another key of digests';
  assert.notEqual(tokenOf(canary, key), tokenOf(canary, other));
  assert.equal(isSame(tokenOf(canary, key), tokenOf('changed', key)), false);
  assert.equal(isSame(tokenOf(canary, key), tokenOf(canary, key)), true);
  assert.equal(isSame(tokenOf(canary, key), tokenOf('changed', other)), true);
  assert.equal(isSame(tokenOf(canary, key), '(secret 0123456789abcdef)'), true, 'of a record of before');
  assert.equal(isSame(tokenOf(canary, key), 'no secret'), false);
});

test('a copy of a spec that is nested deeper than the stack can follow is hidden as a whole', () => {
  const copy = `{"a":${'['.repeat(20_000)}{"env":[{"name":"A","value":"${canary}"}]}${']'.repeat(20_000)}}`;
  const given = { metadata: { annotations: { copy } } };
  const secrets = openSecrets(key);
  const hidden = secrets.hide(given);
  assert.match(hidden.metadata.annotations.copy, /^\(secret [-0-9a-f]+\)$/);
  assert.deepEqual(secrets.reveal(hidden), given);
});
