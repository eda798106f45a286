import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import { describe, test } from 'node:test';
import { QuorateError } from '../../libs/errors/catalogue.ts';
import { connectKube, type WatchableKube } from '../../libs/kube/client.ts';
import { resourceTypes } from '../../libs/kube/object.ts';
import { reply, type Script, type ScriptedApi, startScriptedApi, testToken } from '../kube-api.ts';

const { pod } = resourceTypes;
const object = (name: string) => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name, namespace: 'default' },
});
const status = (code: number, reason: string, details: object = {}) => ({
  kind: 'Status',
  code,
  reason,
  message: `${reason} it is`,
  details,
});

async function withApi(
  script: Script,
  run: (kube: WatchableKube, api: ScriptedApi) => Promise<void>,
  options: { timeoutMs?: number; dryRun?: true } = {},
): Promise<void> {
  const api = await startScriptedApi(script);
  const kube = connectKube({ id: 'test', kubeconfigPath: api.kubeconfigPath, ...options });
  try {
    await run(kube, api);
  } finally {
    await kube.close();
    await api.stop();
  }
}

async function failure(promise: Promise<unknown>): Promise<QuorateError> {
  const error = await promise.then(
    () => assert.fail('it succeeded'),
    (thrown) => thrown,
  );
  assert.ok(error instanceof QuorateError, String(error));
  const told = JSON.stringify({
    ...error,
    message: error.message,
    stack: error.stack,
    cause: String(error.cause),
  });
  assert.ok(!told.includes(testToken), 'the token is in the error');
  return error;
}

describe('the Kubernetes client', () => {
  test('keeps its connections', async () => {
    await withApi(
      (_request, response) => reply(response, 200, object('a')),
      async (kube, api) => {
        for (let i = 0; i < 20; i++) await kube.get(pod, 'default', 'a');
        // A second one may be opened before the first is free again.
        assert.ok(api.connectionCount() <= 2, `${api.connectionCount()} connections`);
      },
    );
  });

  test('sends the token, and each verb as the API wants it', async () => {
    const asked: string[] = [];
    const bodies: string[] = [];
    await withApi(
      (request, response) => {
        assert.equal(request.headers.authorization, `Bearer ${testToken}`);
        asked.push(`${request.method} ${request.url} ${request.headers['content-type'] ?? '-'}`);
        bodies.push(request.body);
        reply(response, 200, object('a'));
      },
      async (kube) => {
        await kube.get(pod, 'default', 'a');
        await kube.create(pod, object('a'));
        await kube.apply(pod, object('a'));
        await kube.patch(pod, 'default', 'a', { spec: { x: 1 } });
        await kube.patchStatus(pod, 'default', 'a', { status: { x: 1 } });
        assert.equal(await kube.delete(pod, 'default', 'a', { uid: 'u', resourceVersion: '7' }), 'deleted');
        await kube.get(resourceTypes.customResourceDefinition, undefined, 'b');
      },
    );
    const path = '/api/v1/namespaces/default/pods';
    assert.deepEqual(asked, [
      `GET ${path}/a -`,
      `POST ${path}?fieldManager=quorate application/json`,
      `PATCH ${path}/a?fieldManager=quorate&force=true application/apply-patch+yaml`,
      `PATCH ${path}/a?fieldManager=quorate application/merge-patch+json`,
      `PATCH ${path}/a/status?fieldManager=quorate application/merge-patch+json`,
      `DELETE ${path}/a application/json`,
      'GET /apis/apiextensions.k8s.io/v1/customresourcedefinitions/b -',
    ]);
    assert.deepEqual(JSON.parse(bodies[5] ?? '').preconditions, { uid: 'u', resourceVersion: '7' });
  });

  test('every write of a dry run asks the API to change nothing', async () => {
    const writes: string[] = [];
    await withApi(
      (request, response) => {
        if (request.method !== 'GET') writes.push(request.url);
        reply(response, 200, object('a'));
      },
      async (kube) => {
        await kube.create(pod, object('a'));
        await kube.apply(pod, object('a'));
        await kube.patch(pod, 'default', 'a', {});
        await kube.patchStatus(pod, 'default', 'a', {});
        await kube.delete(pod, 'default', 'a', { uid: 'u' });
      },
      { dryRun: true },
    );
    assert.equal(writes.length, 5);
    for (const url of writes) assert.equal(new URL(url, 'https://api').searchParams.get('dryRun'), 'All');
  });

  test('lists page by page and gives every item its kind', async () => {
    await withApi(
      (request, response) => {
        const query = new URL(request.url, 'https://api').searchParams;
        assert.equal(query.get('labelSelector'), 'a=1,b=2');
        const next = query.get('continue');
        const metadata = { resourceVersion: '7', ...(next ? {} : { continue: 'more/+' }) };
        if (next) assert.equal(next, 'more/+');
        reply(response, 200, { metadata, items: [{ metadata: { name: next ? 'two' : 'one' } }] });
      },
      async (kube) => {
        const { items, resourceVersion } = await kube.list(pod, { labels: { b: '2', a: '1' } });
        assert.equal(resourceVersion, '7');
        assert.deepEqual(
          items.map((item) => `${item.apiVersion} ${item.kind} ${item.metadata.name}`),
          ['v1 Pod one', 'v1 Pod two'],
        );
      },
    );
  });

  test('of given namespaces, it asks for nothing of the others', async () => {
    const asked: string[] = [];
    const script: Script = (request, response) => {
      const path = request.url.split('?')[0] ?? '';
      asked.push(path);
      reply(response, 200, { metadata: { resourceVersion: '7' }, items: [{ metadata: { name: path } }] });
    };
    await withApi(script, async (_kube, { kubeconfigPath }) => {
      const kube = connectKube({ id: 'test', kubeconfigPath, namespaces: ['mine', 'ours'] });
      try {
        assert.equal((await kube.list(pod)).items.length, 2);
        assert.equal((await kube.list(pod, { namespace: 'yours' })).items.length, 1);
        assert.equal((await kube.list(resourceTypes.node)).items.length, 1);
        const { signal } = new AbortController();
        const watch = await kube.openWatch(pod, {
          ...{ namespace: 'mine', resourceVersion: '7', timeoutSeconds: 1, signal },
        });
        // Given up before its end, it says so.
        watch.on('error', () => {});
        watch.destroy();
      } finally {
        await kube.close();
      }
    });
    const pods = (namespace: string) => `/api/v1/namespaces/${namespace}/pods`;
    assert.deepEqual(asked.slice(0, 2).sort(), [pods('mine'), pods('ours')]);
    assert.deepEqual(asked.slice(2), [pods('yours'), '/api/v1/nodes', pods('mine')]);
  });

  test('only the API itself can say that an object is absent', async () => {
    const answers = new Map<string, (response: Parameters<Script>[1]) => void>([
      [
        'absent',
        (response) => reply(response, 404, status(404, 'NotFound', { name: 'absent', kind: 'pods' })),
      ],
      ['proxy', (response) => void response.writeHead(404).end('404 page not found')],
      ['kind', (response) => reply(response, 404, status(404, 'NotFound'))],
    ]);
    await withApi(
      (request, response) => answers.get(request.url.split('/').at(-1) ?? '')?.(response),
      async (kube) => {
        assert.equal(await kube.get(pod, 'default', 'absent'), undefined);
        assert.equal(await kube.delete(pod, 'default', 'absent', { uid: 'u' }), 'gone');
        for (const name of ['proxy', 'kind']) {
          assert.equal((await failure(kube.get(pod, 'default', name))).code, 'KUBE_REFUSED');
          assert.equal((await failure(kube.delete(pod, 'default', name, { uid: 'u' }))).code, 'KUBE_REFUSED');
        }
      },
    );
  });

  test('an API server that serves only an older version of a kind is asked for that, and nobody else sees it', async () => {
    const { budget } = resourceTypes;
    const asked: string[] = [];
    const sent = {
      apiVersion: 'policy/v1',
      kind: 'PodDisruptionBudget',
      metadata: { name: 'a', namespace: 'n' },
    };
    const stored = { ...sent, apiVersion: 'policy/v1beta1' };
    await withApi(
      (request, response) => {
        asked.push(`${request.method} ${request.url.split('?')[0]}`);
        if (request.body !== '') assert.equal(JSON.parse(request.body).apiVersion, stored.apiVersion);
        const versions = [{ groupVersion: 'policy/v1beta1', version: 'v1beta1' }];
        reply(response, 200, request.url === '/apis/policy' ? { kind: 'APIGroup', versions } : stored);
      },
      async (kube) => {
        assert.equal((await kube.apply(budget, sent)).apiVersion, 'policy/v1');
        assert.equal((await kube.get(budget, 'n', 'a'))?.apiVersion, 'policy/v1');
      },
    );
    const path = '/apis/policy/v1beta1/namespaces/n/poddisruptionbudgets/a';
    assert.deepEqual(asked, ['GET /apis/policy', `PATCH ${path}`, `GET ${path}`]);
  });

  test('tells who refused a write: a quota, a rule of the cluster, a webhook that cannot be asked, or a missing right', async () => {
    const cases = [
      [
        403,
        'pods "a" is forbidden: exceeded quota: few, requested: pods=1, used: pods=2, limited: pods=2',
        'KUBE_QUOTA_EXCEEDED',
      ],
      [
        403,
        'pods "a" is forbidden: [maximum cpu usage per Container is 1, but limit is 2]',
        'KUBE_ADMISSION_REFUSED',
      ],
      [
        403,
        'pods "a" is forbidden: violates PodSecurity "restricted:latest": runAsNonRoot != true',
        'KUBE_ADMISSION_REFUSED',
      ],
      [400, 'admission webhook "no.example.com" denied the request: not today', 'KUBE_ADMISSION_REFUSED'],
      [
        422,
        `pods "a" is forbidden: ValidatingAdmissionPolicy 'no' with binding 'here' denied request: not today`,
        'KUBE_ADMISSION_REFUSED',
      ],
      [
        500,
        'Internal error occurred: failed calling webhook "no.example.com": Post "https://x": refused',
        'KUBE_WEBHOOK_FAILED',
      ],
      [
        403,
        'pods is forbidden: User "u" cannot create resource "pods" in API group "" in the namespace "n"',
        'KUBE_REFUSED',
      ],
    ] as const;
    for (const [code, message, expected] of cases) {
      await withApi(
        (_request, response) => reply(response, code, { ...status(code, 'Forbidden'), message }),
        async (kube) => {
          const error = await failure(kube.create(pod, object('a')));
          assert.deepEqual([error.code, error.fields['message']], [expected, message]);
        },
      );
    }
  });

  test('names every refusal, with the status, the reason and the message of the API', async () => {
    const uidChanged = { causes: [{ field: 'metadata.uid', message: 'field is immutable' }] };
    const cases = [
      [500, status(500, 'InternalError'), 'KUBE_UNREACHABLE'],
      [503, 'no upstream', 'KUBE_UNREACHABLE'],
      [429, status(429, 'TooManyRequests'), 'KUBE_BUSY'],
      [410, status(410, 'Expired'), 'KUBE_GONE'],
      [409, status(409, 'AlreadyExists'), 'KUBE_EXISTS'],
      [409, status(409, 'Conflict'), 'KUBE_CONFLICT'],
      [422, status(422, 'Invalid', uidChanged), 'KUBE_CONFLICT'],
      [422, status(422, 'Invalid', { causes: [{ field: 'spec.size' }] }), 'KUBE_INVALID'],
      [400, status(400, 'BadRequest'), 'KUBE_INVALID'],
      [400, 'the header is too large', 'KUBE_REFUSED'],
      [403, status(403, 'Forbidden'), 'KUBE_REFUSED'],
    ] as const;
    let current = 0;
    await withApi(
      (_request, response) => {
        const [code, body] = cases[current] ?? cases[0];
        reply(response, code, body);
      },
      async (kube) => {
        for (const [index, [code, body, expected]] of cases.entries()) {
          current = index;
          const error = await failure(kube.patch(pod, 'default', 'a', {}));
          assert.equal(error.code, expected);
          assert.equal(error.fields['status'], code);
          if (typeof body === 'string') continue;
          assert.equal(error.fields['reason'], body.reason);
          assert.equal(error.fields['message'], body.message);
        }
      },
    );
  });

  test('a patch of a status never meets another object than the one that is meant', async () => {
    const bodies: object[] = [];
    await withApi(
      (request, response) => {
        if (request.method === 'PATCH') bodies.push(JSON.parse(request.body));
        reply(response, 200, { ...object('a'), metadata: { name: 'a', uid: 'u1', resourceVersion: '7' } });
      },
      async (kube) => {
        await kube.patchStatus(pod, 'default', 'a', { metadata: { uid: 'u1' }, status: { x: 1 } });
        assert.deepEqual(bodies, [{ metadata: { uid: 'u1', resourceVersion: '7' }, status: { x: 1 } }]);
        await kube.patchStatus(pod, 'default', 'a', { metadata: { uid: 'u1', resourceVersion: '5' } });
        assert.deepEqual(bodies.splice(1), [{ metadata: { uid: 'u1', resourceVersion: '5' } }]);
        const wrong = kube.patchStatus(pod, 'default', 'a', { metadata: { uid: 'u0' }, status: { x: 1 } });
        assert.equal((await failure(wrong)).code, 'KUBE_CONFLICT');
        assert.equal(bodies.length, 1);
      },
    );
  });

  test('a reply that is cut short or no object is no answer', async () => {
    const bodies = ['{"kind":"Pod","metad', '[]', 'null', '<html>login</html>'];
    let next = 0;
    await withApi(
      (_request, response) => void response.writeHead(200).end(bodies[next++]),
      async (kube) => {
        for (const _ of bodies) {
          assert.equal((await failure(kube.get(pod, 'default', 'a'))).code, 'KUBE_UNREACHABLE');
        }
      },
    );
  });

  test('gives up a request that takes too long, and leaves an abort by the caller what it is', async () => {
    await withApi(
      () => {},
      async (kube) => {
        assert.equal((await failure(kube.get(pod, 'default', 'a'))).code, 'KUBE_UNREACHABLE');
        const stop = new AbortController();
        const pending = kube.get(pod, 'default', 'a', stop.signal);
        stop.abort(new Error('the pass is over'));
        await assert.rejects(pending, /the pass is over/);
        const watch = { resourceVersion: '1', timeoutSeconds: 30, signal: new AbortController().signal };
        assert.equal((await failure(kube.openWatch(pod, watch))).code, 'KUBE_UNREACHABLE');
      },
      { timeoutMs: 300 },
    );
  });

  test('an API that is not there is unreachable', async () => {
    await withApi(
      () => {},
      async (kube, api) => {
        await api.stop();
        assert.equal((await failure(kube.list(pod))).code, 'KUBE_UNREACHABLE');
      },
    );
  });

  test('reads the kubeconfig again when the credentials are no longer accepted', async () => {
    let accepted = testToken;
    await withApi(
      (request, response) => {
        const isKnown = request.headers.authorization === `Bearer ${accepted}`;
        if (isKnown) reply(response, 200, object('a'));
        else reply(response, 401, status(401, 'Unauthorized'));
      },
      async (kube, api) => {
        await kube.get(pod, 'default', 'a');
        accepted = 'the-next-token';
        assert.equal((await failure(kube.get(pod, 'default', 'a'))).fields['status'], 401);
        const text = await readFile(api.kubeconfigPath, 'utf8');
        await writeFile(api.kubeconfigPath, text.replace(testToken, accepted));
        assert.equal((await kube.get(pod, 'default', 'a'))?.metadata.name, 'a');
      },
    );
  });

  describe('with a credential plugin', () => {
    const withPlugin = async (api: ScriptedApi, output: string) => {
      const config = JSON.parse(await readFile(api.kubeconfigPath, 'utf8'));
      const exec = { apiVersion: 'client.authentication.k8s.io/v1', command: 'printf', args: ['%s', output] };
      await writeFile(
        api.kubeconfigPath,
        JSON.stringify({ ...config, users: [{ name: 'test', user: { exec } }] }),
      );
      return connectKube({ id: 'test', kubeconfigPath: api.kubeconfigPath });
    };
    const credential = JSON.stringify({ kind: 'ExecCredential', status: { token: testToken } });

    test('sends what it printed', async () => {
      await withApi(
        (request, response) => {
          assert.equal(request.headers.authorization, `Bearer ${testToken}`);
          reply(response, 200, object('a'));
        },
        async (_kube, api) => {
          const kube = await withPlugin(api, credential);
          assert.equal((await kube.get(pod, 'default', 'a'))?.metadata.name, 'a');
          await kube.close();
        },
      );
    });

    test('does not tell what it printed when that is no credential', async () => {
      await withApi(
        () => {},
        async (_kube, api) => {
          const kube = await withPlugin(api, `${testToken} ${credential}`);
          assert.equal((await failure(kube.get(pod, 'default', 'a'))).code, 'KUBE_UNREACHABLE');
          await kube.close();
        },
      );
    });
  });

  test('a kubeconfig that is missing or names no cluster is a setting to correct', () => {
    assert.throws(() => connectKube({ id: 'test', kubeconfigPath: '/nowhere/kubeconfig' }), {
      code: 'CONFIG_INVALID',
    });
  });
});
