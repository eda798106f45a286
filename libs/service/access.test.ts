import assert from 'node:assert/strict';
import { test } from 'node:test';
import { shownUrl } from './access.ts';
import { natsSettings, readConfig, redisSettings, settings } from './config.ts';

test('a URL is shown without what lets one in', () => {
  assert.equal(shownUrl('nats://one:4222'), 'nats://one:4222');
  assert.equal(shownUrl('redis://:secret@one:6379/2'), 'redis://one:6379/2');
  assert.equal(shownUrl('tls://user:se/cr@et@one'), 'tls://one');
  assert.equal(shownUrl('nats://token@one:4222, nats://user:secret@two'), 'nats://one:4222,nats://two');
});

test('a wrong setting is named, and its value is not', () => {
  const wrong: [environment: Record<string, string>, named: RegExp][] = [
    [{ NATS_URL: 'redis://user:secret@host' }, /NATS_URL: use a URL that begins with nats:\/\/ or tls:\/\//],
    [{ NATS_URL: 'nats://user:sec,ret@host' }, /NATS_URL: use a URL/],
    [{ NATS_URL: 'nats://host,' }, /NATS_URL: use a URL/],
    [{ NATS_CREDS: '/nowhere/secret' }, /NATS_CREDS: cannot be read/],
    [{ QUORATE_HTTP_PORT: 'secret' }, /QUORATE_HTTP_PORT/],
  ];
  for (const [environment, named] of wrong) {
    assert.throws(
      () => readConfig(settings, environment),
      (error: Error) => named.test(error.message) && !/secret|sec,ret/.test(error.message),
      JSON.stringify(environment),
    );
  }
  assert.throws(() => readConfig(redisSettings, { REDIS_URL: 'http://host' }), /REDIS_URL: use a URL/);
});

test('several servers, and settings that a chart leaves empty', () => {
  const config = readConfig(natsSettings, { NATS_URL: 'nats://one:4222, tls://two', NATS_USER: '' });
  assert.equal(config.NATS_URL, 'nats://one:4222, tls://two');
  assert.equal(config.NATS_USER, undefined);
});
