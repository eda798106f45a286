import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { connectKube } from '../../libs/kube/client.ts';
import { installCrds } from '../../libs/kube/install.ts';
import type { KubeObject } from '../../libs/kube/object.ts';
import { reply, type Script, startScriptedApi } from '../kube-api.ts';
import { createTestLog } from '../log.ts';

const name = 'examples.example.quorate.io';
const spec = {
  group: 'example.quorate.io',
  names: { kind: 'Example', shortNames: ['ex'] },
  versions: [{ a: {} }],
};
const crd = (conditions: object[] = [], installed: object = spec): KubeObject => ({
  apiVersion: 'apiextensions.k8s.io/v1',
  kind: 'CustomResourceDefinition',
  metadata: { name },
  spec: installed,
  status: { conditions },
});
const established = { type: 'Established', status: 'True' };
const forbidden = { kind: 'Status', code: 403, reason: 'Forbidden', message: 'you may not' };
const absent = { kind: 'Status', code: 404, reason: 'NotFound', details: { name } };

/** Installs against an API whose n-th GET answers with the n-th of `gets`, the last one for ever. */
async function install(patch: [number, object], gets: [number, object][]) {
  const log = createTestLog();
  let asked = 0;
  let patched = 0;
  const script: Script = (request, response) => {
    const isGet = request.method === 'GET';
    const [status, body] = isGet ? (gets[asked] ?? gets[gets.length - 1] ?? patch) : patch;
    if (isGet) asked++;
    else patched++;
    reply(response, status, body);
  };
  const api = await startScriptedApi(script);
  const kube = connectKube({ id: 'test', kubeconfigPath: api.kubeconfigPath });
  try {
    await installCrds(kube, [crd()], { log, signal: AbortSignal.timeout(20_000) });
    return { asked, patched, log };
  } finally {
    await kube.close();
    await api.stop();
  }
}

describe('installing CustomResourceDefinitions', () => {
  test('waits until the API serves the kind', async () => {
    const { asked, patched, log } = await install(
      [200, crd()],
      [
        [404, absent],
        [200, crd()],
        [200, crd()],
        [200, crd([established])],
      ],
    );
    assert.deepEqual({ asked, patched }, { asked: 4, patched: 1 });
    assert.deepEqual(log.lines, []);
  });

  test('one that says all that ours says needs no right to write, whatever else it says', async () => {
    const more = {
      conversion: { strategy: 'None' },
      names: { ...spec.names, plural: 'examples' },
      versions: [{}],
    };
    const { patched, log } = await install(
      [403, forbidden],
      [[200, crd([established], { ...spec, ...more })]],
    );
    assert.equal(patched, 0);
    assert.deepEqual(log.lines, []);
  });

  test('one that says something else is updated', async () => {
    for (const other of [
      { group: 'other' },
      { names: { ...spec.names, shortNames: ['ex', 'old'] } },
      { names: { kind: 'Example' } },
      { versions: [] },
    ]) {
      const { patched } = await install([200, crd()], [[200, crd([established], { ...spec, ...other })]]);
      assert.equal(patched, 1, JSON.stringify(other));
    }
  });

  test('without the rights, goes on with what is installed and says so', async () => {
    for (const look of [
      [200, crd([established], { group: 'older' })],
      [403, forbidden],
    ] as [number, object][]) {
      const { log } = await install([403, forbidden], [look]);
      assert.deepEqual(
        log.lines.map(({ level, fields }) => [level, fields]),
        [['warn', { crd: name, reason: 'you may not' }]],
      );
    }
  });

  test('without the rights and with nothing installed, says what is missing', async () => {
    await assert.rejects(install([403, forbidden], [[404, absent]]), {
      code: 'KUBE_CRD_MISSING',
      message: /examples\.example\.quorate\.io \(you may not\)/,
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
