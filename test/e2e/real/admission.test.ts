import { test } from 'node:test';
import type { KubeObject } from '../../../libs/kube/object.ts';
import { createAuthority } from '../../../libs/sandbox/api/certificate.ts';
import { createCluster, type TestCluster } from '../cluster.ts';
import { holds, holdsNoMore } from '../conditions.ts';
import { etcdCluster, openStage } from '../stage.ts';

/** Who refuses writes besides quotas: the sandbox has none of them. */

const seen = await openStage();
const { stage } = seen;
const { namespace } = stage;

async function healed(name: string, size: number): Promise<void> {
  await stage.settled(name, size);
  await holdsNoMore(stage, name, 'Blocked');
}

async function goesOn({ until, writer }: TestCluster): Promise<void> {
  const written = writer.acknowledged();
  await until('writes go on', () => writer.acknowledged() > written + 10);
}

test('a limit range that refuses the pods: said, and healed when they ask for less', async (t) => {
  const limits = [{ type: 'Container', max: { memory: '128Mi' } }];
  const metadata = { name: 'small' };
  await stage.feed('create', { apiVersion: 'v1', kind: 'LimitRange', metadata, spec: { limits } });
  t.after(() => stage.kubectl('delete', 'limitrange', 'small'));
  const pod = (memory: string) => ({ pod: { resources: { limits: { memory } } } });
  await stage.apply(etcdCluster('large', { size: 1, version: '3.4.23', ...pod('256Mi') }));
  const words = /Evidence: .*maximum memory usage per Container is 128Mi.* What you can do: change what/;
  await holds(stage, 'large', 'Blocked', ['AdmissionRefused', words]);
  await stage.apply(etcdCluster('large', { size: 1, version: '3.4.23', ...pod('64Mi') }));
  await healed('large', 1);
});

/** A webhook that is asked for every new pod of this namespace alone; it goes with the test. */
async function guardPods(
  owner: { after(end: () => Promise<unknown>): void },
  authority?: string,
): Promise<void> {
  await stage.kubectl('label', 'namespace', namespace, `quorate.io/guarded=${namespace}`, '--overwrite');
  const service = { namespace, name: 'guard', path: '/', port: 443 };
  const caBundle = authority && { caBundle: Buffer.from(authority).toString('base64') };
  const rule = { apiGroups: [''], apiVersions: ['v1'], operations: ['CREATE'], resources: ['pods'] };
  owner.after(() =>
    stage.kubectl('delete', 'validatingwebhookconfiguration', namespace, '--ignore-not-found'),
  );
  await stage.feed('create', {
    apiVersion: 'admissionregistration.k8s.io/v1',
    kind: 'ValidatingWebhookConfiguration',
    metadata: { name: namespace },
    webhooks: [
      {
        name: 'guard.quorate.example',
        clientConfig: { service, ...caBundle },
        rules: [rule],
        namespaceSelector: { matchLabels: { 'quorate.io/guarded': namespace } },
        objectSelector: { matchLabels: { app: 'etcd' } },
        admissionReviewVersions: ['v1'],
        sideEffects: 'None',
        failurePolicy: 'Fail',
        timeoutSeconds: 5,
      },
    ],
  });
}

const takeGuardAway = () => stage.kubectl('delete', 'validatingwebhookconfiguration', namespace);

test('a webhook that cannot be asked: it is named, what runs goes on, and it heals when that is gone', async (t) => {
  const cluster = await createCluster(seen, t, 'silent', { size: 1 });
  await guardPods(t);
  await stage.kubectl('scale', 'etcdcluster', 'silent', '--replicas=3');
  const words = /Evidence: .*failed calling webhook "guard\.quorate\.example".*bring the named webhook back/;
  await holds(stage, 'silent', 'Blocked', ['WebhookFailed', words]);
  await goesOn(cluster);
  await takeGuardAway();
  await healed('silent', 3);
  await cluster.finish();
});

const { operator } = stage.bench;

test('a webhook that refuses: its own words are told, and it heals when it allows again', {
  skip:
    operator.runs === 'machine' &&
    "its server needs Quorate's image, which is there where the chart installed it",
}, async (t) => {
  const authority = await createAuthority('guard', new Date());
  const { certificate, key } = await authority.issue('guard', 'server', `guard.${namespace}.svc`);
  const image = await imageOfOperator();
  await stage.apply(secretOf({ certificate, key }));
  await stage.apply(guardPod(image));
  await stage.apply({
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name: 'guard' },
    spec: { selector: { 'app.kubernetes.io/name': 'guard' }, ports: [{ port: 443, targetPort: 8443 }] },
  });
  await stage.kubectl('wait', '--for=condition=Ready', 'pod/guard', '--timeout=110s');
  const cluster = await createCluster(seen, t, 'refused', { size: 1 });
  await guardPods(t, authority.certificate);
  await stage.kubectl('scale', 'etcdcluster', 'refused', '--replicas=3');
  const words = /Evidence: .*webhook "guard\.quorate\.example" denied the request: not in this house/;
  await holds(stage, 'refused', 'Blocked', ['AdmissionRefused', words]);
  await goesOn(cluster);
  await takeGuardAway();
  await healed('refused', 3);
  await cluster.finish();
});

async function imageOfOperator(): Promise<string> {
  if (operator.runs === 'machine') throw new Error('there is no image');
  const selector = 'app.kubernetes.io/name=quorate,app.kubernetes.io/component=worker';
  const [image = ''] = (
    await stage.kubectl(
      ...['get', 'pods', '--namespace', operator.namespace, '-l', selector],
      ...['-o', 'jsonpath={.items[*].spec.containers[0].image}'],
    )
  ).split(' ');
  return image;
}

const secretOf = (data: { certificate: string; key: string }): KubeObject => ({
  apiVersion: 'v1',
  kind: 'Secret',
  metadata: { name: 'guard' },
  stringData: data,
});

/** Answers every review with the same refusal. */
const server = `
const { readFileSync } = require('node:fs');
const read = (name) => readFileSync('/tls/' + name);
require('node:https').createServer({ cert: read('certificate'), key: read('key') }, async (request, response) => {
  let text = '';
  for await (const chunk of request) text += chunk;
  const review = text === '' ? {} : JSON.parse(text);
  const status = { code: 403, message: 'not in this house' };
  const answer = { uid: review.request?.uid, allowed: false, status };
  response.setHeader('content-type', 'application/json');
  response.end(JSON.stringify({ apiVersion: review.apiVersion, kind: review.kind, response: answer }));
}).listen(8443);`;

const guardPod = (image: string): KubeObject => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name: 'guard', labels: { 'app.kubernetes.io/name': 'guard' } },
  spec: {
    terminationGracePeriodSeconds: 0,
    containers: [
      {
        name: 'guard',
        image,
        command: ['node', '-e', server],
        volumeMounts: [{ name: 'tls', mountPath: '/tls' }],
        readinessProbe: { httpGet: { path: '/', port: 8443, scheme: 'HTTPS' }, periodSeconds: 1 },
      },
    ],
    volumes: [{ name: 'tls', secret: { secretName: 'guard' } }],
  },
});
