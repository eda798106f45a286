import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { connectKube } from '../../libs/kube/client.ts';
import { installCrds } from '../../libs/kube/install.ts';
import type { KubeObject } from '../../libs/kube/object.ts';
import { reply, type Script, startScriptedApi } from '../kube-api.ts';
import { createTestLog } from '../log.ts';

const name = 'examples.example.quorate.io';
const crd = (conditions: object[] = []): KubeObject => ({
  apiVersion: 'apiextensions.k8s.io/v1',
  kind: 'CustomResourceDefinition',
  metadata: { name },
  status: { conditions },
});
const established = { type: 'Established', status: 'True' };
const forbidden = { kind: 'Status', code: 403, reason: 'Forbidden', message: 'you may not' };
const absent = { kind: 'Status', code: 404, reason: 'NotFound', details: { name } };

/** Installs against an API whose n-th GET answers with the n-th of `gets`, the last one for ever. */
async function install(patch: [number, object], gets: [number, object][]) {
  const log = createTestLog();
  let asked = 0;
  const script: Script = (request, response) => {
    const [status, body] = request.method === 'GET' ? (gets[asked] ?? gets[gets.length - 1] ?? patch) : patch;
    if (request.method === 'GET') asked++;
    reply(response, status, body);
  };
  const api = await startScriptedApi(script);
  const kube = connectKube({ id: 'test', kubeconfigPath: api.kubeconfigPath });
  try {
    await installCrds(kube, [crd()], { log, signal: AbortSignal.timeout(20_000) });
    return { asked, log };
  } finally {
    await kube.close();
    await api.stop();
  }
}

describe('installing CustomResourceDefinitions', () => {
  test('waits until the API serves the kind', async () => {
    const { asked, log } = await install(
      [200, crd()],
      [
        [200, crd()],
        [200, crd()],
        [200, crd([established])],
      ],
    );
    assert.equal(asked, 3);
    assert.deepEqual(log.lines, []);
  });

  test('without the rights, goes on with what is installed and says so', async () => {
    for (const look of [
      [200, crd([established])],
      [403, forbidden],
    ] as [number, object][]) {
      const { log } = await install([403, forbidden], [look]);
      assert.deepEqual(
        log.lines.map(({ level, fields }) => [level, fields]),
        [['warn', { crd: name, reason: 'you may not' }]],
      );
    }
  });

  test('without the rights and with nothing installed, refuses with the reason', async () => {
    await assert.rejects(install([403, forbidden], [[404, absent]]), {
      code: 'KUBE_REFUSED',
      message: /you may not/,
    });
  });

  test('another kind of the same names is a reason to refuse', async () => {
    const taken = { type: 'NamesAccepted', status: 'False', message: '"examples" is already in use' };
    await assert.rejects(install([200, crd()], [[200, crd([taken])]]), {
      code: 'KUBE_REFUSED',
      message: /already in use/,
    });
  });
});
