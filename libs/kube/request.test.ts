import assert from 'node:assert/strict';
import { type AddressInfo, createServer as createTcpServer, type Server, type Socket } from 'node:net';
import { type TestContext, test } from 'node:test';
import { Agent } from 'undici';
import { until } from '../../test/wait.ts';
import { messageOf } from '../errors/catalogue.ts';
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
