import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import { type AddressInfo, createServer as createTcpServer, type Server, type Socket } from 'node:net';
import { type TestContext, test } from 'node:test';
import { Agent } from 'undici';
import { until } from '../../test/wait.ts';
import { isError, messageOf } from '../errors/catalogue.ts';
import { openRequests, type Requests } from './request.ts';

/** Requests to a server of the test, without a limit for connecting but that of the request. */
async function requestsTo(
  t: TestContext,
  server: Server,
  scheme: string,
  timeoutMs: number,
): Promise<Requests> {
  const sockets = new Set<Socket>();
  server.on('connection', (socket: Socket) => void sockets.add(socket.on('error', () => {})));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = `${scheme}://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const dispatcher = new Agent({ connect: { timeout: 0 } });
  t.after(async () => {
    await dispatcher.destroy();
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  const access = async () => ({ server: address, headers: {}, dispatcher });
  const source = { access, reload() {}, close: () => dispatcher.destroy() };
  return openRequests(source, { userAgent: 'test', timeoutMs });
}

/** An API that gives these replies, one after the other, and is well from then on. */
async function startApi(
  t: TestContext,
  timeoutMs: number,
  ...replies: [status: number, retryAfter: string][]
) {
  let served = 0;
  const server = createServer((_request, response) => {
    const [status, retryAfter] = replies[served++] ?? [200, undefined];
    response.writeHead(status, retryAfter === undefined ? {} : { 'retry-after': retryAfter }).end('{}');
  });
  const requests = await requestsTo(t, server, 'http', timeoutMs);
  return {
    ask: (signal?: AbortSignal) => requests.ask({ method: 'GET', path: '/a', signal }),
    stream: () => requests.stream({ method: 'GET', path: '/a' }),
    servedCount: () => served,
  };
}

/** What a request came to, once it has ended. */
function outcomeOf(request: Promise<unknown>): () => string | undefined {
  let outcome: string | undefined;
  request.then(
    () => {
      outcome = 'an answer';
    },
    (error) => {
      outcome = messageOf(error);
    },
  );
  return () => outcome;
}

test('a request that is aborted while it has no connection yet ends at once', async (t) => {
  const silent = createTcpServer();
  let connections = 0;
  silent.on('connection', () => connections++);
  // It answers nothing to the beginning of TLS.
  const requests = await requestsTo(t, silent, 'https', 600_000);
  const stop = new AbortController();
  const outcome = outcomeOf(requests.ask({ method: 'GET', path: '/a', signal: stop.signal }));
  await until('it connects', () => connections === 1);
  stop.abort(new Error('the pass is over'));
  assert.equal(await until('it ends', outcome), 'the pass is over');
});

test('after a reply that says when to come back, nothing is sent before that', async (t) => {
  const { ask, servedCount } = await startApi(t, 60_000, [429, '1']);
  const startedMs = performance.now();
  assert.equal((await ask()).retryAfterSeconds, 1);
  const replies = await Promise.all([ask(), ask()]);
  const tookMs = performance.now() - startedMs;
  assert.deepEqual(
    replies.map(({ status }) => status),
    [200, 200],
  );
  assert.equal(servedCount(), 3);
  assert.ok(tookMs >= 1000, `after ${tookMs} ms`);
});

test('who cannot wait so long is told at once, and whoever is stopped meanwhile waits no longer', async (t) => {
  const { ask, stream, servedCount } = await startApi(t, 60_000, [503, '40']);
  assert.equal((await ask()).status, 503);
  for (const asking of [ask, stream]) {
    const isTold = (error: unknown) => isError(error, 'KUBE_BUSY') && /not sent/.test(messageOf(error));
    await assert.rejects(asking(), isTold);
  }
  assert.equal(servedCount(), 1);

  const patient = await startApi(t, 600_000, [503, '40']);
  await patient.ask();
  const stop = new AbortController();
  const outcome = outcomeOf(patient.ask(stop.signal));
  // It waits by then, for there is nothing else to wait for.
  await new Promise((resolve) => setImmediate(resolve));
  stop.abort(new Error('the pass is over'));
  assert.equal(await until('it ends', outcome, 20_000), 'the pass is over');
  assert.equal(patient.servedCount(), 1);
});

test('a reply that names no such time is no reason to wait', async (t) => {
  const date = 'Fri, 31 Dec 2999 23:59:59 GMT';
  const { ask } = await startApi(t, 60_000, [429, date], [429, 'soon'], [500, '40']);
  const statuses: number[] = [];
  for (let count = 0; count < 4; count++) statuses.push((await ask()).status);
  assert.deepEqual(statuses, [429, 429, 500, 200]);
});
