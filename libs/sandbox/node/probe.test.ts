import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { test } from 'node:test';
import { ProbeVerdict, probeOnce } from './probe.ts';

test('a verdict needs enough equal answers in a row', () => {
  const verdict = new ProbeVerdict({ successThreshold: 2, failureThreshold: 3 });
  const answers = [true, true, false, false, true, false, false, false, false];
  const verdicts = [undefined, true, undefined, undefined, undefined, undefined, undefined, false, false];
  assert.deepEqual(
    answers.map((ok) => verdict.answer(ok)),
    verdicts,
  );
});

test('by default one success suffices, and three failures', () => {
  const verdict = new ProbeVerdict({});
  assert.deepEqual(
    [false, false, false, true].map((ok) => verdict.answer(ok)),
    [undefined, undefined, false, true],
  );
});

test('HTTP: below 400 is well, other answers and none are not', async (t) => {
  const server = createServer((request, response) => {
    if (request.url === '/silent') return;
    response.statusCode = Number(request.url?.slice(1));
    response.end();
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => server.close().closeAllConnections());
  const { port } = server.address() as AddressInfo;
  const target = {
    address: '127.0.0.1',
    ports: { web: port },
    environment: {},
    exec: async () => ({ code: 0, output: '' }),
  };
  // What is answered has time: a process that stands still for a second is no answer too late.
  const timeoutSeconds = 60;
  const ask = (path: string, at: number | string = 'web') =>
    probeOnce({ httpGet: { path, port: at }, timeoutSeconds }, target);
  assert.deepEqual(await ask('/204'), { ok: true, message: '' });
  assert.equal((await ask('/302')).ok, true);
  assert.match((await ask('/503')).message, /statuscode: 503/);
  const silent = { httpGet: { path: '/silent', port }, timeoutSeconds: 1 };
  assert.equal((await probeOnce(silent, target)).ok, false);
  assert.match((await ask('/', 'nobody')).message, /no port is named nobody/);
  assert.equal((await probeOnce({ tcpSocket: { port }, timeoutSeconds }, target)).ok, true);
  assert.equal((await probeOnce({ tcpSocket: { port: 1 }, timeoutSeconds }, target)).ok, false);
});

test('exec: the exit code decides, the output explains', async () => {
  const asked: string[][] = [];
  const target = {
    address: '',
    ports: {},
    environment: { FILE: '/a' },
    exec: async (command: string[]) => {
      asked.push(command);
      return { code: 1, output: 'no such file' };
    },
  };
  const answer = await probeOnce({ exec: { command: ['test', '-e', '$(FILE)'] } }, target);
  assert.deepEqual(answer, { ok: false, message: 'no such file' });
  assert.deepEqual(asked, [['test', '-e', '/a']]);
});
