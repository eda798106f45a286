import type { IncomingMessage } from 'node:http';
import type { Duplex, Readable } from 'node:stream';
import { type WebSocket, WebSocketServer } from 'ws';
import { messageOf } from '../../errors/catalogue.ts';
import type { ExecSession } from '../runtime.ts';
import { ApiStatus, badRequest } from '../status.ts';
import type { ApiContext } from './context.ts';
import { chooseContainer } from './logs.ts';
import type { ResourceRequest } from './request.ts';
import { existing } from './write.ts';

/** Channels of the protocols v4 and v5.channel.k8s.io: the first byte of every message. */
const channel = { stdin: 0, stdout: 1, stderr: 2, status: 3, resize: 4, close: 255 };
const protocols = ['v5.channel.k8s.io', 'v4.channel.k8s.io'];

const sockets = new WebSocketServer({
  noServer: true,
  handleProtocols: (offered) => protocols.find((protocol) => offered.has(protocol)) ?? false,
});

/** `pods/<name>/exec`: starts the command, then joins its streams with the client's WebSocket. */
export async function serveExec(
  context: ApiContext,
  request: ResourceRequest,
  upgrade: { request: IncomingMessage; socket: Duplex; head: Buffer },
): Promise<void> {
  const { query } = request;
  const pod = existing(context, request);
  const container = chooseContainer(pod, query.get('container'));
  const command = query.getAll('command');
  if (command.length === 0) throw badRequest('you must specify at least 1 command for the container');
  const stdin = query.get('stdin') === 'true';
  const session = await context.runtime.exec(pod, container, command, {
    stdin,
    tty: query.get('tty') === 'true',
  });
  sockets.handleUpgrade(upgrade.request, upgrade.socket, upgrade.head, (socket) => {
    join(socket, session, stdin).catch((error: unknown) => {
      context.log.warn({ pod: pod.metadata.name, reason: messageOf(error) }, 'exec ended with an error');
      socket.close();
    });
  });
}

async function join(socket: WebSocket, session: ExecSession, stdin: boolean): Promise<void> {
  socket.on('message', (data: Buffer) => {
    if (!stdin) return;
    if (data[0] === channel.stdin) session.stdin.write(data.subarray(1));
    else if (data[0] === channel.close && data[1] === channel.stdin) session.stdin.end();
  });
  // The process may have ended while its input was still coming: nothing is lost by that.
  session.stdin.on('error', () => socket.pause());
  socket.on('close', () => session.kill());
  socket.on('error', () => session.kill());
  if (!stdin) session.stdin.end();
  const [code] = await Promise.all([
    session.exit,
    forward(socket, channel.stdout, session.stdout),
    forward(socket, channel.stderr, session.stderr),
  ]);
  send(socket, channel.status, Buffer.from(JSON.stringify(exitStatus(code))));
  socket.close(1000);
}

async function forward(socket: WebSocket, to: number, stream: Readable): Promise<void> {
  for await (const chunk of stream) send(socket, to, Buffer.from(chunk));
}

function send(socket: WebSocket, to: number, data: Buffer): void {
  if (socket.readyState === socket.OPEN) socket.send(Buffer.concat([Buffer.from([to]), data]));
}

function exitStatus(code: number): object {
  if (code === 0) return { metadata: {}, status: 'Success' };
  const message = `command terminated with non-zero exit code: exit status ${code}`;
  const causes = [{ reason: 'ExitCode', message: String(code) }];
  return {
    metadata: {},
    status: 'Failure',
    message,
    reason: 'NonZeroExitCode',
    details: { causes },
    code: 500,
  };
}

/** Answers an upgrade that cannot be, as plain HTTP. */
export function refuseUpgrade(socket: Duplex, error: unknown): void {
  const status = error instanceof ApiStatus ? error : new ApiStatus(500, 'InternalError', messageOf(error));
  const body = JSON.stringify(status.body());
  const head = [
    `HTTP/1.1 ${status.code} ${status.reason}`,
    'Content-Type: application/json',
    `Content-Length: ${Buffer.byteLength(body)}`,
    'Connection: close',
  ];
  socket.end(`${head.join('\r\n')}\r\n\r\n${body}`);
}
