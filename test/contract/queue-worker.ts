/**
 * A worker process for the queue's contract test to kill and to freeze: `<url> <kube> <lock> <stalled>`. Its
 * handler says `began` and works until its signal is aborted, then asks, too late, to run again at once. A key that
 * ends in `brief` it leaves for two seconds.
 */
import { startWorker } from '../../libs/queue/worker.ts';
import { createLog } from '../../libs/service/log.ts';

const [url = '', kube = '', lockDurationMs, stalledIntervalMs] = process.argv.slice(2);
const worker = startWorker(
  {
    url,
    kube,
    concurrency: 1,
    log: createLog('queue-worker'),
    lockDurationMs: Number(lockDurationMs),
    stalledIntervalMs: Number(stalledIntervalMs),
  },
  async (task, signal) => {
    console.log(`began ${task.key}`);
    if (task.key.endsWith('/brief')) return { requeueAfterMs: 2000 };
    await new Promise((resolve) => signal.addEventListener('abort', resolve));
    console.log('aborted');
    return { requeueAfterMs: 1 };
  },
);
process.once('SIGTERM', () => {
  worker.close().then(
    () => process.exit(0),
    () => process.exit(1),
  );
});
