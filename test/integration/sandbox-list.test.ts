import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { promisify } from 'node:util';
import type { SandboxApi } from '../../libs/sandbox/server.ts';
import { unpackProgram } from '../../services/cli/toolchain/carried.ts';
import { createTestLog } from '../log.ts';
import { startSandboxApi } from '../sandbox-api.ts';

/** `kind: List` against the sandbox's API: kubectl checks the items itself, by /openapi/v2. */

const crds = join(import.meta.dirname, '../../deploy/crds');
const log = createTestLog();
let directory = '';
let api: SandboxApi;

before(async () => {
  directory = await mkdtemp(join(tmpdir(), 'quorate-sandbox-list-'));
  api = await startSandboxApi(directory, log);
});

after(async () => {
  await api?.close();
  await rm(directory, { recursive: true, force: true });
  assert.deepEqual(log.lines, [], 'the API has nothing to complain about');
});

interface Answer {
  code: unknown;
  output: string;
}

type Kubectl = (args: string[], input?: string) => Promise<Answer>;

function kubectlOf(program: string): Kubectl {
  return async (args, input = '') => {
    const cache = ['--cache-dir', join(directory, 'cache')];
    const running = promisify(execFile)(program, ['--kubeconfig', api.kubeconfigPath, ...cache, ...args]);
    running.child.stdin?.end(input);
    try {
      const { stdout, stderr } = await running;
      return { code: 0, output: stdout + stderr };
    } catch (error) {
      const { code, stdout, stderr } = error as { code: unknown; stdout: string; stderr: string };
      return { code, output: stdout + stderr };
    }
  };
}

async function succeeds(kubectl: Kubectl, args: string[], input?: string): Promise<string> {
  const { code, output } = await kubectl(args, input);
  assert.equal(code, 0, `kubectl ${args.join(' ')}: ${output}`);
  return output;
}

const list = (
  parts: { data?: object; service?: object; cluster?: object; configMap?: object } = {},
): string => {
  const service = { selector: { app: 'x' }, ports: [{ port: 80, targetPort: 'http' }], ...parts.service };
  const items = [
    {
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { name: 'one' },
      data: { a: 'b', ...parts.data },
      ...parts.configMap,
    },
    { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'two' }, data: { c: 'd' } },
    { apiVersion: 'v1', kind: 'Service', metadata: { name: 'three' }, spec: service },
    {
      apiVersion: 'etcd.database.coreos.com/v1beta2',
      kind: 'EtcdCluster',
      metadata: { name: 'four' },
      spec: { size: 3, version: '3.2.13', ...parts.cluster },
    },
  ];
  return JSON.stringify({ apiVersion: 'v1', kind: 'List', metadata: { resourceVersion: '' }, items });
};

const given = process.env['KUBECTL'] ?? 'kubectl';
const programs = [...new Set([given, (await unpackProgram('kubectl')) ?? given])];

for (const [index, program] of programs.entries()) {
  const kubectl = kubectlOf(program);
  describe(`a List with ${index === 0 ? 'the kubectl of this machine' : 'the newest kubectl'}`, () => {
    const apply = ['apply', '-f', '-'];

    before(async () => {
      await succeeds(kubectl, ['apply', '-f', crds]);
      await succeeds(kubectl, ['wait', '--for=condition=Established', 'crd', '--all']);
    });

    after(() => succeeds(kubectl, ['delete', 'crd', '--all']));

    test('is applied, changed, and applied again as it was got', async () => {
      assert.match(
        await succeeds(kubectl, apply, list()),
        /configmap\/one .*\nconfigmap\/two .*\nservice\/three .*\netcdcluster\S+\/four created/,
      );
      const again = await succeeds(kubectl, apply, list({ data: { more: 'yes' } }));
      assert.match(again, /configmap\/one configured\n.*two unchanged\n.*three unchanged\n.*four unchanged/);
      const all = await succeeds(kubectl, ['get', 'cm,svc,etcd', '-o', 'yaml']);
      await succeeds(kubectl, apply, all);
      const data = await succeeds(kubectl, ['get', 'cm', 'one', '-o', 'jsonpath={.data}']);
      assert.deepEqual(JSON.parse(data), { a: 'b', more: 'yes' });
    });

    test('with bad fields is refused as a whole, and every field is named', async () => {
      const bad = list({ configMap: { dota: {} }, service: { selektor: {} }, cluster: { sice: 3 } });
      const { code, output } = await kubectl(apply, bad);
      assert.equal(code, 1);
      assert.match(output, /ValidationError\(ConfigMap\): unknown field "dota"/);
      assert.match(output, /ValidationError\(Service\.spec\): unknown field "selektor"/);
      assert.match(output, /ValidationError\(EtcdCluster\.spec\): unknown field "sice"/);
      const typed = await kubectl(apply, list({ cluster: { size: 'three' } }));
      assert.match(
        typed.output,
        /EtcdCluster\.spec\.size\): invalid type .* got "string", expected "integer"/,
      );
    });

    test('alone makes kubectl read the document of version 2', async () => {
      const single = JSON.stringify({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'single' } });
      const reading = /GET.*\/openapi\/v2/;
      for (const input of [single, single.replace('}}', ',"labels":{"a":"b"}}}')]) {
        assert.doesNotMatch(await succeeds(kubectl, [...apply, '-v=6'], input), reading);
      }
      assert.match(await succeeds(kubectl, [...apply, '-v=6'], list()), reading);
    });

    test('is checked by a document that follows the CRDs, in JSON as well', async () => {
      const definitions = async (): Promise<Record<string, { properties?: object }>> => {
        const document = JSON.parse(await succeeds(kubectl, ['get', '--raw', '/openapi/v2']));
        assert.equal(document.swagger, '2.0');
        assert.doesNotMatch(JSON.stringify(document), /components/);
        return document.definitions;
      };
      const name = 'com.coreos.database.etcd.v1beta2.EtcdCluster';
      const known = await definitions();
      assert.ok(known[name]?.properties);
      const references = [...JSON.stringify(known).matchAll(/"#\/definitions\/([^"]+)"/g)];
      assert.ok(references.length > 0);
      for (const [, target = ''] of references) assert.ok(known[target], `there is no ${target}`);
      await succeeds(kubectl, ['delete', 'crd', '--all']);
      assert.equal((await definitions())[name], undefined);
      await succeeds(kubectl, ['apply', '-f', crds]);
      assert.ok((await definitions())[name]);
    });
  });
}
