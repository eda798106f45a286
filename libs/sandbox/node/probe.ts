import { once } from 'node:events';
import { request as httpRequest } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { messageOf } from '../../errors/catalogue.ts';
import { expand } from './expand.ts';
import type { ProbeSpec } from './spec.ts';

/** What a probe asks. */
export interface ProbeTarget {
  address: string;
  /** Named ports of the container. */
  ports: Record<string, number>;
  environment: Record<string, string>;
  exec(command: string[], timeoutMs: number): Promise<{ code: number; output: string }>;
}

export interface ProbeResult {
  ok: boolean;
  message: string;
}

/** Turns single answers into a verdict: it changes only after enough of them in a row. */
export class ProbeVerdict {
  readonly #successThreshold: number;
  readonly #failureThreshold: number;
  #last: boolean | undefined;
  #inARow = 0;

  constructor(probe: ProbeSpec) {
    this.#successThreshold = probe.successThreshold ?? 1;
    this.#failureThreshold = probe.failureThreshold ?? 3;
  }

  /** `true` or `false` from the answer on that makes it so, `undefined` while the answers do not suffice. */
  answer(ok: boolean): boolean | undefined {
    this.#inARow = ok === this.#last ? this.#inARow + 1 : 1;
    this.#last = ok;
    return this.#inARow >= (ok ? this.#successThreshold : this.#failureThreshold) ? ok : undefined;
  }
}

/**
 * Probes until `signal` is aborted: first after the initial delay, then every period. `onVerdict` is called with each
 * verdict that the thresholds allow; whoever listens knows what was so before.
 */
export async function runProbe(
  probe: ProbeSpec,
  target: ProbeTarget,
  onVerdict: (ok: boolean, message: string) => void,
  signal: AbortSignal,
): Promise<void> {
  const verdict = new ProbeVerdict(probe);
  const periodMs = (probe.periodSeconds ?? 10) * 1_000;
  let nextMs = performance.now() + (probe.initialDelaySeconds ?? 0) * 1_000;
  while (!signal.aborted) {
    try {
      await sleep(Math.max(0, nextMs - performance.now()), undefined, { signal });
    } catch {
      // The container has ended, and the probe with it.
      return;
    }
    nextMs = Math.max(nextMs + periodMs, performance.now());
    const { ok, message } = await probeOnce(probe, target);
    if (signal.aborted) return;
    const decided = verdict.answer(ok);
    if (decided !== undefined) onVerdict(decided, message);
  }
}

/** One answer, within the probe's timeout. */
export async function probeOnce(probe: ProbeSpec, target: ProbeTarget): Promise<ProbeResult> {
  const timeoutMs = (probe.timeoutSeconds ?? 1) * 1_000;
  try {
    if (probe.exec) {
      const command = (probe.exec.command ?? []).map((word) => expand(word, target.environment));
      const { code, output } = await target.exec(command, timeoutMs);
      return { ok: code === 0, message: code === 0 ? '' : output || `exit code ${code}` };
    }
    if (probe.httpGet) return await probeHttp(probe.httpGet, target, timeoutMs);
    if (probe.tcpSocket) return await probeTcp(probe.tcpSocket, target, timeoutMs);
    return { ok: false, message: 'the sandbox has no probes of this kind' };
  } catch (error) {
    return { ok: false, message: messageOf(error) };
  }
}

async function probeHttp(
  { path = '/', port, host, scheme, httpHeaders = [] }: NonNullable<ProbeSpec['httpGet']>,
  target: ProbeTarget,
  timeoutMs: number,
): Promise<ProbeResult> {
  const options = {
    host: host ?? target.address,
    port: portOf(port, target),
    path,
    headers: Object.fromEntries(httpHeaders.map(({ name, value }) => [name, value])),
    agent: false as const,
    signal: AbortSignal.timeout(timeoutMs),
  };
  // As the kubelet: whoever serves the probe needs no certificate that anybody trusts.
  const request =
    scheme === 'HTTPS' ? httpsRequest({ ...options, rejectUnauthorized: false }) : httpRequest(options);
  request.end();
  const [response] = (await once(request, 'response')) as [import('node:http').IncomingMessage];
  response.resume();
  // An answer that breaks off is still the answer that its status says.
  response.on('error', () => {});
  const status = response.statusCode ?? 0;
  const ok = status >= 200 && status < 400;
  return { ok, message: ok ? '' : `HTTP probe failed with statuscode: ${status}` };
}

async function probeTcp(
  { port, host }: NonNullable<ProbeSpec['tcpSocket']>,
  target: ProbeTarget,
  timeoutMs: number,
): Promise<ProbeResult> {
  const socket = connect(portOf(port, target), host ?? target.address);
  try {
    await once(socket, 'connect', { signal: AbortSignal.timeout(timeoutMs) });
    return { ok: true, message: '' };
  } finally {
    socket.destroy();
  }
}

function portOf(port: number | string, target: ProbeTarget): number {
  if (typeof port === 'number') return port;
  const number = target.ports[port] ?? Number(port);
  if (!Number.isInteger(number)) throw new Error(`no port is named ${port}`);
  return number;
}
