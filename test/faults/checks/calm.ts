import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import { createKubectl, type Kubectl } from '../../e2e/bench/kubectl.ts';
import { check } from '../vocabulary.ts';

/** The API never got more requests in a second, by all of Quorate and the test together, on an average of five. */
export const calm = check(
  z.strictObject({ requestsPerSecond: z.int().min(1) }),
  ({ lane: { stack, programs }, afterwards, remark }, { requestsPerSecond }) => {
    const kubectl = createKubectl(programs.kubectl ?? 'kubectl', stack.kubeconfigPath);
    const stop = new AbortController();
    const rates: number[] = [];
    const watching = (async () => {
      let last: { count: number; atMs: number } | undefined;
      while (!stop.signal.aborted) {
        const count = await requestCount(kubectl);
        const now = count === undefined ? undefined : { count, atMs: performance.now() };
        if (last && now) rates.push(((now.count - last.count) * 1000) / Math.max(1000, now.atMs - last.atMs));
        last = now;
        // Woken early only by the end.
        await sleep(5000, undefined, { signal: stop.signal }).catch(() => {});
      }
    })();
    const end = async () => {
      stop.abort();
      await watching;
    };
    // Also where a step has failed and nothing is checked any more.
    afterwards(end);
    return async () => {
      await end();
      const most = Math.round(Math.max(0, ...rates));
      remark(`at most ${most} requests a second`);
      assert.ok(most <= requestsPerSecond, `${most} requests a second`);
    };
  },
);

/** `undefined` while the API does not answer. */
async function requestCount(kubectl: Kubectl): Promise<number | undefined> {
  const text = await kubectl.run('get', '--raw', '/metrics').catch(() => undefined);
  const counts = text?.split('\n').filter((line) => line.startsWith('apiserver_request_total{'));
  return counts?.reduce((sum, line) => sum + Number(line.split(' ').at(-1)), 0);
}
