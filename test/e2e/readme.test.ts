import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { thingsToTry } from '../../services/cli/show/things-to-try.ts';
import { findPrograms } from '../../services/cli/toolchain/find.ts';
import { openStage } from './stage.ts';

const run = promisify(execFile);
const name = 'example-etcd-cluster';

const { stage } = await openStage();

/** The example as `npm start` leaves it, whatever was done to it before. */
async function startExample(): Promise<void> {
  await stage.kubectl('delete', 'etcd', name, '--ignore-not-found');
  await stage.kubectl('apply', '-f', stage.exampleFile);
  await stage.settled(name, 3);
}

/** Runs one line as a person's shell would, in a second terminal; `quorate up` would be found by its folder. */
async function shell(line: string): Promise<string> {
  const { paths } = await findPrograms(['kubectl']);
  const { KUBECONFIG, NATS_URL, ...environment } = process.env;
  const path = [dirname(paths.kubectl ?? ''), resolve('node_modules/.bin'), environment['PATH']].join(':');
  const places = { KUBECONFIG: stage.kubeconfigPath, NATS_URL: stage.operator.natsUrl };
  const env = { ...environment, ...places, PATH: path };
  const { stdout } = await run('/bin/sh', ['-ec', line], { env, timeout: 150_000 });
  return stdout;
}

/** What each line must have printed, by how it begins: a line without an entry here fails the test. */
const expected: Record<string, RegExp> = {
  'kubectl get etcd': /example-etcd-cluster/,
  'kubectl patch etcd': /patched/,
  'kubectl describe etcd': /Events:[\s\S]*CreatePod/,
  'kubectl exec': /OK|hello/,
  'kubectl delete pod': /deleted/,
  'kubectl scale': /scaled/,
  'kubectl explain': /FIELDS:/,
  'npx quorate': /example-etcd-cluster|Usage/,
};

async function assertWorks(line: string): Promise<void> {
  const [, pattern] = Object.entries(expected).find(([start]) => line.startsWith(start)) ?? [];
  assert.ok(pattern, `the test knows what to expect of: ${line}`);
  assert.match(await shell(line), pattern, line);
}

test('every command line of the README works as written', async () => {
  const readme = await readFile('README.md', 'utf8');
  const blocks = [...readme.matchAll(/^```sh\n([\s\S]*?)^```$/gm)].map(([, block = '']) => block);
  const inline = [...readme.matchAll(/`((?:kubectl|npx quorate) [^`]+)`/g)].map(([, line = '']) => line);
  const lines = [...blocks.join('').split('\n'), ...inline].map((line) => line.trim());
  // npm's own commands are what brought this test here.
  const commands = lines.filter((line) => /^(kubectl|npx) /.test(line) && !/^kubectl \w+$/.test(line));
  assert.ok(commands.length >= 6, `found ${commands.length} command lines`);
  await startExample();
  for (const line of commands) await assertWorks(line);
  await stage.settled(name, 5);
});

test('everything that npm start suggests to try works as printed', async () => {
  const commands = thingsToTry()
    .map((line) => line.trim())
    .filter((line) => /^(kubectl|npx) /.test(line));
  assert.equal(commands.length, 5);
  await startExample();
  for (const line of commands) {
    // Watching never ends by itself; looking once shows the same.
    await assertWorks(line.replace(' --watch', ''));
  }
});
