import assert from 'node:assert/strict';
import { after, before, describe, type TestContext, test } from 'node:test';
import { connectBus } from '../../libs/bus/bus.ts';
import { isError } from '../../libs/errors/catalogue.ts';
import { connectTasks } from '../../libs/queue/tasks.ts';
import type { ServerAccess } from '../../libs/service/access.ts';
import { freePort } from '../../services/cli/processes/servers.ts';
import { createTestLog } from '../log.ts';
import { type ServerOptions, startNats, startRedis, type TestServer } from '../servers.ts';
import { until } from '../wait.ts';
import { type Certificates, createCertificates, createCredentials } from './access-setup.ts';
import { event, parts } from './bus-setup.ts';
import { idle, withQueue } from './queue-setup.ts';

/** Existing servers, which let in only whom they know, over connections that nobody can read. */

/** With characters that mean something in URLs. */
const password = 'secret/of:the@test%20';
const encoded = encodeURIComponent(password);

let certificates: Certificates;
before(async () => {
  certificates = await createCertificates();
});
after(() => certificates.remove());

function natsWith(t: TestContext, ...commandLine: string[]): Promise<TestServer> {
  return stopped(t, startNats({ arguments: commandLine }));
}

/** A server that asks clients for a certificate. */
const natsTls = () => {
  const { server, serverAuthority } = certificates;
  return [
    '--tlsverify',
    '--tlscert',
    server.certificate,
    '--tlskey',
    server.key,
    '--tlscacert',
    serverAuthority,
  ];
};

async function stopped(t: TestContext, starting: Promise<TestServer>): Promise<TestServer> {
  const server = await starting;
  t.after(() => server.stop());
  return server;
}

/** Connects in the background for as long as the test lasts. */
function connecting(t: TestContext, access: ServerAccess) {
  const log = createTestLog();
  const stop = new AbortController();
  const bus = connectBus({ ...access, name: 'test', log, signal: stop.signal });
  bus.catch(() => {
    // A test that wants it to fail looks at the log.
  });
  t.after(async () => {
    stop.abort();
    await bus.then((connected) => connected.close()).catch(() => {});
  });
  return { log, bus };
}

let version = 0;

/** Fails where the bus does not store, or has anything to say. */
async function assertStores(t: TestContext, access: ServerAccess): Promise<void> {
  const { bus, log } = connecting(t, access);
  assert.equal(await (await bus).publishEvent(parts('one'), event('one', ++version)), 'stored');
  assert.deepEqual(log.lines, []);
}

/** Waits until the log says why there is no connection. */
async function assertRefused(t: TestContext, access: ServerAccess, reason: RegExp): Promise<void> {
  const { log } = connecting(t, access);
  const line = await until('the log says why', () => log.lines.find(({ level }) => level === 'warn'));
  assert.match(String(line.fields['reason']), reason);
  assertNothingSecret(log.lines);
}

function assertNothingSecret(shown: unknown): void {
  const text = JSON.stringify(shown);
  assert.ok(!text.includes('secret'), text);
}

describe('NATS', () => {
  test('user and password', async (t) => {
    const { url } = await natsWith(t, '--user', 'quorate', '--pass', password);
    const withUser = (host: string, secret: string) => url.replace('127.0.0.1', `quorate:${secret}@${host}`);
    await assertStores(t, { url, user: 'quorate', password });
    await assertStores(t, { url: withUser('127.0.0.1', encoded) });
    await assertStores(t, { url: withUser('127.0.0.1', 'old'), user: 'quorate', password });
    await assertRefused(t, { url: withUser('127.0.0.1', 'secret') }, /authorization/i);
    await assertRefused(t, { url, user: 'quorate', password: 'secret' }, /authorization/i);
  });

  test('a token', async (t) => {
    const { url } = await natsWith(t, '--auth', password);
    await assertStores(t, { url, token: password });
    await assertStores(t, { url: url.replace('127.0.0.1', `${encoded}@127.0.0.1`) });
    await assertRefused(t, { url }, /authorization/i);
  });

  test('a file of credentials', async (t) => {
    const { configPath, credentialsPath } = await createCredentials(certificates.dir);
    const { url } = await natsWith(t, '--config', configPath);
    await assertStores(t, { url, credentialsPath });
    await assertRefused(t, { url }, /authorization/i);
  });

  test('TLS on both sides, with a user', async (t) => {
    const { port } = await natsWith(t, ...natsTls(), '--user', 'quorate', '--pass', password);
    const access = { user: 'quorate', password, ...certificates.client };
    await assertStores(t, { url: `tls://127.0.0.1:${port}`, ...access });
    await assertStores(t, { url: `nats://localhost:${port}`, ...access });
    const { authorityPath } = access;
    await assertRefused(
      t,
      { url: `tls://127.0.0.1:${port}`, authorityPath },
      /certificate|closed|reset|timeout|EPIPE/i,
    );
    await assertRefused(t, { url: `tls://127.0.0.1:${port}`, user: 'quorate', password }, /certificate/i);
  });

  test('a password never goes to a server that does not encrypt when encryption was asked for', async (t) => {
    const { port } = await natsWith(t, '--user', 'quorate', '--pass', password);
    const identity = { user: 'quorate', password };
    await assertRefused(t, { url: `tls://127.0.0.1:${port}`, ...identity }, /tls/i);
    const { authorityPath } = certificates.client;
    await assertRefused(t, { url: `nats://127.0.0.1:${port}`, authorityPath, ...identity }, /tls/i);
  });

  test('one of several servers is enough', async (t) => {
    const { port } = await natsWith(t, '--user', 'quorate', '--pass', password);
    const url = `nats://127.0.0.1:1, nats://quorate:${encoded}@127.0.0.1:${port}`;
    await assertStores(t, { url });
  });

  test('renewed certificates are taken at the next connection', async (t) => {
    const server = await natsWith(t, ...natsTls());
    const { bus, log } = connecting(t, { url: `tls://127.0.0.1:${server.port}`, ...certificates.client });
    const connected = await bus;
    await certificates.renew();
    await server.restart();
    await until('the connection is lost', () => log.lines.some(({ level }) => level === 'warn'));
    await until('it is there again', () => connected.connected());
    assert.equal(await connected.publishEvent(parts('one'), event('one', 1)), 'stored');
  });
});

describe('Redis', () => {
  const redisWith = (t: TestContext, options: ServerOptions) => stopped(t, startRedis(options));
  const acl = ['--requirepass', 'other', '--user', 'quorate', 'on', `>${password}`, '~*', '&*', '+@all'];

  async function redisTls(t: TestContext): Promise<{ server: TestServer; url: string }> {
    const port = await freePort();
    const { server, serverAuthority } = certificates;
    const files = ['--tls-cert-file', server.certificate, '--tls-key-file', server.key];
    const tls = ['--tls-port', String(port), ...files, '--tls-ca-cert-file', serverAuthority];
    return {
      server: await redisWith(t, { arguments: [...acl, ...tls] }),
      url: `rediss://127.0.0.1:${port}`,
    };
  }

  /** A task makes the whole round: over the connection that wakes, the worker's, and its copy that waits. */
  async function assertRuns(access: ServerAccess): Promise<void> {
    await withQueue(access, async ({ tasks, runs, log }) => {
      await tasks.wake('etcd/default/example', { eventId: 'one' });
      await until('it runs', () => runs.length === 1);
      await idle(tasks);
      assert.deepEqual(log.lines, []);
    });
  }

  async function assertRefused(access: ServerAccess, reason: RegExp): Promise<void> {
    const log = createTestLog();
    const tasks = connectTasks({ ...access, kube: 'test', log });
    try {
      await assert.rejects(tasks.wake('etcd/default/example', { eventId: 'one' }), (error) => {
        assertNothingSecret(String(error));
        return isError(error, 'QUEUE_UNREACHABLE');
      });
      await until('the log says why', () =>
        log.lines.some(({ fields }) => reason.test(String(fields['reason']))),
      );
      assertNothingSecret(log.lines);
    } finally {
      await tasks.close();
    }
  }

  test('user and password', async (t) => {
    const { url } = await redisWith(t, { arguments: acl });
    const withUser = (user: string) => url.replace('127.0.0.1', `${user}@127.0.0.1`);
    await assertRuns({ url, user: 'quorate', password });
    await assertRuns({ url: withUser(`quorate:${encoded}`) });
    await assertRuns({ url, password: 'other' });
    await assertRuns({ url: withUser(':old'), user: 'quorate', password });
    await assertRefused({ url: withUser('quorate:secret') }, /WRONGPASS|NOAUTH/);
    await assertRefused({ url }, /NOAUTH/);
  });

  test('TLS on both sides, with a user', async (t) => {
    const { url } = await redisTls(t);
    const identity = { user: 'quorate', password };
    await assertRuns({ url, ...identity, ...certificates.client });
    await assertRuns({ url: url.replace('rediss', 'redis'), ...identity, ...certificates.client });
    await assertRefused({ url, ...identity }, /certificate/i);
    const { authorityPath } = certificates.client;
    await assertRefused({ url, ...identity, authorityPath }, /certificate|closed|lost/i);
  });

  test('renewed certificates are taken at the next connection', async (t) => {
    const { server, url } = await redisTls(t);
    const access = { url, user: 'quorate', password, ...certificates.client };
    await withQueue(access, async ({ tasks, runs }) => {
      await until('it is connected', tasks.connected);
      await certificates.renew();
      await server.restart();
      await until('it is connected again', async () => {
        await tasks.wake('etcd/default/example', { eventId: 'one' }).catch(() => {});
        return runs.length > 0;
      });
    });
  });
});
