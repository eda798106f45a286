import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { test } from 'node:test';
import { until } from '../../wait.ts';
import { linkTo, openTunnel } from './link.ts';

/** A server that sends back all that it hears. */
async function startEcho() {
  const sockets = new Set<Socket>();
  const heard: string[] = [];
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => {});
    socket.on('data', (chunk) => heard.push(chunk.toString()));
    socket.pipe(socket);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    heard,
    port: (server.address() as AddressInfo).port,
    stop() {
      server.close();
      for (const socket of sockets) socket.destroy();
    },
  };
}

/** A connection, and all that it has heard so far. */
function openClient(port: number) {
  const socket = connect(port, '127.0.0.1');
  const client = { socket, heard: '' };
  socket.on('data', (chunk) => {
    client.heard += chunk.toString();
  });
  return client;
}

test('while a link is cut nothing passes, and afterwards what was sent meanwhile arrives', async (t) => {
  const echo = await startEcho();
  const link = await linkTo({ host: '127.0.0.1', port: echo.port });
  const before = openClient(link.port);
  t.after(async () => {
    before.socket.destroy();
    await link.close();
    echo.stop();
  });
  before.socket.write('one ');
  await until('the first comes back', () => before.heard === 'one ');
  link.cut();
  const during = openClient(link.port);
  const gone = openClient(link.port);
  t.after(() => during.socket.destroy());
  before.socket.write('two');
  during.socket.write('three');
  gone.socket.end('four');
  // What takes another way has gone and come back by then.
  const beside = openClient(echo.port);
  beside.socket.end('beside');
  await Promise.all([
    once(during.socket, 'connect'),
    once(gone.socket, 'connect'),
    once(beside.socket, 'close'),
  ]);
  assert.equal(before.heard, 'one ');
  assert.equal(during.heard, '');
  link.mend();
  link.mend();
  await until('all comes back', () => before.heard === 'one two' && during.heard === 'three');
  await until('also what was sent by one that had gone', () => echo.heard.includes('four'));
});

test('a tunnel leads each connection where its first line says', async (t) => {
  const [echo, tunnel] = await Promise.all([startEcho(), openTunnel()]);
  const client = openClient(tunnel.port);
  t.after(async () => {
    client.socket.destroy();
    await tunnel.close();
    echo.stop();
  });
  client.socket.write(`127.0.0.1:${echo.port}\nhello`);
  await until('what follows the line comes back', () => client.heard === 'hello');
});
