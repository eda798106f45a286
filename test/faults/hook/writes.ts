import { subscribe } from 'node:diagnostics_channel';
import type { ClientHttp2Stream, IncomingHttpHeaders } from 'node:http2';
import type { HookOptions } from './hook.ts';
import { countWrites, type Entry, note, readJournal, readStrike, type Strike } from './journal.ts';

/** What undici tells of a request on its diagnostics channels. */
interface HttpRequest {
  method: string;
  path: string;
  body?: unknown;
}

/** The calls of etcd that change something. */
const memberCalls = /\/etcdserverpb\.(?:Cluster\/(Member(?:Add|Promote|Remove))|Maintenance\/(MoveLeader))$/;

/**
 * Notes each write of this process, to the Kubernetes API and to members, before it is sent and when it is answered,
 * and strikes the process at the one that is asked for. It learns of them from what undici and Node themselves tell
 * on their diagnostics channels.
 */
export function followWrites({ folder, worker }: Pick<HookOptions, 'folder' | 'worker'>): void {
  const numbers = new WeakMap<object, number>();

  const strikeAt = (number: number, moment: Strike['moment']) => {
    const strike = readStrike(folder);
    const entries = readJournal(folder);
    if (strike?.moment !== moment || entries.some(({ is }) => is === 'struck')) return;
    const upToIt = entries.filter(({ is }) => is === 'sent').slice(0, number);
    const isCounted = strike.of === undefined || describes(upToIt.at(-1), strike.of);
    if (!isCounted || countWrites(upToIt, strike.of).counted !== strike.nth) return;
    note(folder, { is: 'struck', number, worker });
    process.kill(process.pid, strike.do === 'kill' ? 'SIGKILL' : 'SIGSTOP');
  };
  const sent = (request: object, write: string) => {
    // etcd refuses a change of its members for a while, and it is asked again and again: that is one write.
    const isAgain = !write.includes(' ') && lastWrite(readJournal(folder)) === write;
    if (!isAgain) note(folder, { is: 'sent', write, worker });
    const { all } = countWrites(readJournal(folder), undefined);
    numbers.set(request, all);
    strikeAt(all, 'before');
  };
  const answered = (request: object, answer: string) => {
    const number = numbers.get(request);
    if (number === undefined) return;
    numbers.delete(request);
    note(folder, { is: 'answered', number, answer, worker });
  };
  const strikeAfter = (request: object) => {
    const number = numbers.get(request);
    if (number !== undefined) strikeAt(number, 'after');
  };

  // Published where the very next thing is to write the request to its connection: whoever wakes up there sends it.
  subscribe('undici:client:sendHeaders', (message) => {
    const { request } = message as { request: HttpRequest };
    if (request.method !== 'GET') sent(request, describeRequest(request));
  });
  subscribe('undici:request:headers', (message) => {
    const { request, response } = message as { request: HttpRequest; response: { statusCode: number } };
    strikeAfter(request);
    answered(request, String(response.statusCode));
  });
  subscribe('undici:request:error', (message) => {
    const { request, error } = message as { request: HttpRequest; error: Error };
    answered(request, `no answer: ${error.message}`);
  });
  // Node has the whole call by then, and sends it when it comes to its next event.
  subscribe('http2.client.stream.bodyChunkSent', (message) => {
    const { stream } = message as { stream: ClientHttp2Stream };
    const [, change, other] = memberCalls.exec(String(stream.sentHeaders?.[':path'])) ?? [];
    const call = change ?? other;
    if (call === undefined || numbers.has(stream)) return;
    // gRPC says how a call went at its end, in trailers, or at once in the headers where there is nothing else.
    let answer: string | undefined;
    const hear = (said: IncomingHttpHeaders) => {
      answer = said['grpc-status'] === undefined ? answer : `gRPC status ${said['grpc-status']}`;
    };
    stream.on('response', hear);
    stream.on('trailers', hear);
    stream.on('close', () => answered(stream, answer ?? 'no answer'));
    sent(stream, call);
  });
  // The member has carried the call out when the first of its answer comes, unless that is all and says why not.
  subscribe('http2.client.stream.finish', (message) => {
    const { stream, headers } = message as { stream: ClientHttp2Stream; headers: IncomingHttpHeaders };
    if (headers['grpc-status'] === undefined) strikeAfter(stream);
  });
}

const lastWrite = (entries: readonly Entry[]): string | undefined =>
  entries.findLast((entry) => entry.is === 'sent')?.write;

const describes = (entry: { is: string; write?: string } | undefined, of: string): boolean =>
  entry?.write?.includes(of) ?? false;

/** E.g. `POST pods/example-1`, without the namespace. */
function describeRequest({ method, path, body }: HttpRequest): string {
  const [, resource = path, name = nameIn(body)] =
    /\/namespaces\/[^/]+\/([^/?]+)(?:\/([^?]+))?/.exec(path) ?? [];
  return `${method} ${resource}${name === undefined ? '' : `/${name}`}`;
}

function nameIn(body: unknown): string | undefined {
  if (!Buffer.isBuffer(body)) return undefined;
  return (JSON.parse(body.toString()) as { metadata?: { name?: string } }).metadata?.name;
}
