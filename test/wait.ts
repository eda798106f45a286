import { setTimeout as sleep } from 'node:timers/promises';

/**
 * Polls until the condition gives a truthy answer, and returns that. Fails after `limitMs`, which is only there
 * to end a broken test and may be generous: machines that run tests are slow at times.
 */
export async function until<Answer>(
  what: string,
  condition: () => Answer | Promise<Answer>,
  limitMs = 60_000,
): Promise<Exclude<NonNullable<Answer>, false>> {
  const deadlineMs = performance.now() + limitMs;
  for (;;) {
    const answer = await condition();
    if (answer) return answer as Exclude<NonNullable<Answer>, false>;
    if (performance.now() > deadlineMs) throw new Error(`did not happen within ${limitMs} ms: ${what}`);
    await sleep(10);
  }
}
