import { setTimeout as sleep } from 'node:timers/promises';

/**
 * Polls until the condition holds. Fails after `limitMs`, which is only there to end a broken test and may be
 * generous: machines that run tests are slow at times.
 */
export async function until(
  what: string,
  condition: () => boolean | Promise<boolean>,
  limitMs = 20_000,
): Promise<void> {
  const deadlineMs = performance.now() + limitMs;
  for (;;) {
    if (await condition()) return;
    if (performance.now() > deadlineMs) throw new Error(`did not happen within ${limitMs} ms: ${what}`);
    await sleep(10);
  }
}
