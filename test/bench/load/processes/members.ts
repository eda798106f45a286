import { createServer } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { runProcess } from '../../../../libs/service/process.ts';

/**
 * The simulated node: one process that plays the members of all clusters. `GET /members/<name>` is answered after
 * the time that `PUT /answer-after/<milliseconds>` has set last, at first without any delay.
 */
await runProcess('members', async ({ signal }) => {
  let answerAfterMs = 0;
  const server = createServer(async (request, response) => {
    const [, subject, value = ''] = (request.url ?? '').split('/');
    if (request.method === 'PUT' && subject === 'answer-after') answerAfterMs = Number(value);
    else if (subject === 'members' && answerAfterMs > 0) await sleep(answerAfterMs);
    response.end('well');
  });
  server.keepAliveTimeout = 120_000;
  const port = Number(process.env['PORT']);
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
  await new Promise((resolve) => signal.addEventListener('abort', resolve));
  server.closeAllConnections();
});
