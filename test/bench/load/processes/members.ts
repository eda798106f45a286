import { createServer } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { runProcess } from '../../../../libs/service/process.ts';

/**
 * The simulated node: one process that plays the members of all clusters. `GET /members/<name>-<number>` is answered at
 * once, but for the numbers below `count` after `PUT /answer-after/<milliseconds>/<count>`.
 */
await runProcess('members', async ({ signal }) => {
  let late = { answerAfterMs: 0, count: 0 };
  const server = createServer(async (request, response) => {
    const [, subject, value = '', count] = (request.url ?? '').split('/');
    if (request.method === 'PUT' && subject === 'answer-after') {
      late = { answerAfterMs: Number(value), count: Number(count) };
    } else if (Number(value.split('-').at(-1)) < late.count) await sleep(late.answerAfterMs);
    response.end('well');
  });
  server.keepAliveTimeout = 120_000;
  const port = Number(process.env['PORT']);
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
  await new Promise((resolve) => signal.addEventListener('abort', resolve));
  server.closeAllConnections();
});
