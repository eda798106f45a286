import { QuorateError } from '../errors/catalogue.ts';
import { wait } from '../service/backoff.ts';

/** However long an API or a proxy before it asks for, in milliseconds: by mistake it may be years. */
const longestMs = 60_000;

/** The time in which a kube gets no requests from us, because its API asked for that. */
export interface Pause {
  begin(seconds: number): void;
  /**
   * Resolves when it is over, or early when the signal is aborted. Throws KUBE_BUSY at once where it lasts longer than
   * `mostMs`; `request` says what was asked for.
   */
  end(request: string, mostMs: number, signal: AbortSignal): Promise<void>;
}

export function createPause(nowMs: () => number = () => performance.now()): Pause {
  let untilMs = Number.NEGATIVE_INFINITY;
  return {
    begin(seconds) {
      untilMs = Math.max(untilMs, nowMs() + Math.min(seconds * 1000, longestMs));
    },
    async end(request, mostMs, signal) {
      // It may grow meanwhile, by the replies to what was sent before it began.
      for (let leftMs = untilMs - nowMs(); leftMs > 0 && !signal.aborted; leftMs = untilMs - nowMs()) {
        if (leftMs > mostMs) {
          const retryAfterSeconds = Math.ceil(leftMs / 1000);
          const detail = `${request}: not sent, since it asked for a pause of another ${retryAfterSeconds} s`;
          throw new QuorateError('KUBE_BUSY', detail, { request, retryAfterSeconds });
        }
        await wait(leftMs, signal);
      }
    },
  };
}

/** For how long a reply asks to be left alone, in seconds, as Kubernetes says it; a date counts for nothing. */
export function retryAfterSecondsOf(
  status: number,
  headers: Record<string, string | string[] | undefined>,
): number | undefined {
  const said = headers['retry-after'];
  const isAsked = (status === 429 || status === 503) && typeof said === 'string' && /^\d+$/.test(said);
  return isAsked ? Number(said) : undefined;
}
