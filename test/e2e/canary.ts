import assert from 'node:assert/strict';
import { Redis } from 'ioredis';
import { connectBus } from '../../libs/bus/bus.ts';
import { createTestLog } from '../log.ts';
import { until } from '../wait.ts';
import { type Component, services } from './bench/operator.ts';
import type { Stage } from './stage.ts';

/** Planted in every cluster of the tests: it must reach the members, and nothing that Quorate keeps, sends or says. */
export const canary = 'canary-3f9ac71e';
export const canaryEnvironment = [{ name: 'CANARY', value: canary }];

/** Fails where the canary is found anywhere; returns the places that were searched. */
export async function checkCanary(stage: Stage): Promise<string[]> {
  const texts = await everythingSaid(stage);
  for (const [place, text] of texts) assert.ok(!text.includes(canary), `the canary is in ${place}`);
  return [...texts.keys()].filter((place) => texts.get(place) !== '');
}

/**
 * Where Quorate keeps, sends or says anything, as text: all streams, all of Redis, the logs of all services,
 * their metrics, and what the observer has written to Kubernetes.
 */
async function everythingSaid(stage: Stage): Promise<Map<string, string>> {
  return new Map([
    ...(await streams(stage)),
    ['Redis', await redis(stage)],
    ...(await logs(stage)),
    ...(await metrics(stage)),
    ['Kubernetes Events', JSON.stringify(await stage.list('events'))],
    ['statuses', JSON.stringify((await stage.list('etcdclusters')).map((resource) => resource['status']))],
  ]);
}

async function streams(stage: Stage): Promise<[string, string][]> {
  const signal = AbortSignal.timeout(150_000);
  const log = createTestLog();
  const bus = await connectBus({
    url: stage.operator.natsUrl,
    name: 'test',
    streams: 'as they are',
    log,
    signal,
  });
  try {
    const names = ['events', 'decisions', 'repeats', 'dead'] as const;
    const texts = names.map(async (stream): Promise<[string, string]> => {
      let text = '';
      for await (const { payload, headers } of bus.read({ stream, signal }))
        text += `${payload}${JSON.stringify(headers)}\n`;
      return [stream, text];
    });
    return await Promise.all(texts);
  } finally {
    await bus.close();
  }
}

/** Every key with all that is in it, whatever its type. */
async function redis(stage: Stage): Promise<string> {
  const client = new Redis(stage.operator.redisUrl);
  try {
    const read: Record<string, (key: string) => Promise<unknown>> = {
      string: (key) => client.get(key),
      hash: (key) => client.hgetall(key),
      list: (key) => client.lrange(key, 0, -1),
      set: (key) => client.smembers(key),
      zset: (key) => client.zrange(key, '0', '-1'),
      stream: (key) => client.xrange(key, '-', '+'),
    };
    const keys = await client.keys('*');
    const values = keys.map(async (key) => [key, await read[await client.type(key)]?.(key)]);
    return JSON.stringify(await Promise.all(values));
  } finally {
    client.disconnect();
  }
}

async function logs({ operator }: Stage): Promise<[string, string][]> {
  const read = services.map(async (service) =>
    [...(await operator.wholeLog(service))].map(([name, lines]): [string, string] => [
      `log of ${name}`,
      JSON.stringify(lines),
    ]),
  );
  return (await Promise.all(read)).flat();
}

async function metrics({ operator }: Stage): Promise<[string, string][]> {
  const read = async (url: string): Promise<[string, string]> => {
    return [`metrics of ${url}`, await (await fetch(url)).text()];
  };
  // One that has just been started again does not listen yet, and one that has just ended never will.
  const readAll = async (service: Component) =>
    Promise.all((await operator.metricsUrls(service)).map(read)).catch(() => undefined);
  const told = services.map((service) => until(`metrics of ${service}`, () => readAll(service)));
  return (await Promise.all(told)).flat();
}
