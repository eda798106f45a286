import assert from 'node:assert/strict';
import { connect } from 'node:net';
import { before, test } from 'node:test';
import { connectBus } from '../../libs/bus/bus.ts';
import type { ReadMessage } from '../../libs/bus/read.ts';
import { createTestLog } from '../log.ts';
import { until } from '../wait.ts';
import { etcdCluster, openStage } from './stage.ts';

const { stage } = await openStage();
before(async () => {
  await stage.apply(etcdCluster('fine', { size: 1, version: '3.4.23' }));
  await stage.settled('fine', 1);
});

/** Publishes in the NATS protocol itself, since our own bus would refuse most of it. */
function publishRaw(url: string, messages: [subject: string, payload: string][]): Promise<void> {
  const { hostname, port } = new URL(url);
  return new Promise((resolve, reject) => {
    const socket = connect(Number(port), hostname, () => {
      socket.write('CONNECT {"verbose":false}\r\n');
      for (const [subject, payload] of messages) {
        socket.write(`PUB ${subject} ${Buffer.byteLength(payload)}\r\n${payload}\r\n`);
      }
      // Answered when everything before it was taken.
      socket.write('PING\r\n');
    });
    let answer = '';
    socket.setEncoding('utf8');
    socket.on('data', (text: string) => {
      answer += text;
      if (!answer.includes('PONG') && !answer.includes('-ERR')) return;
      socket.destroy();
      if (answer.includes('PONG')) resolve();
      else reject(new Error(answer));
    });
    socket.once('error', reject);
  });
}

test('a poisoned message goes to DEAD with its reason, and the pipeline goes on', async () => {
  const event = `quorate.events.local.etcd.${stage.namespace}.fine.pods.fine-1`;
  const decision = `quorate.decisions.local.etcd.${stage.namespace}.fine`;
  const poison: [subject: string, payload: string, reason: string][] = [
    [event, 'no json at all', 'not-json'],
    [event, '\u0000\u0001', 'not-json'],
    [event, '{"specversion":"1.0"}', 'not-an-event'],
    [event, '[]', 'not-an-event'],
    [event, 'x'.repeat(1_000_000), 'not-json'],
    ['quorate.events.local.short', '{}', 'unknown-subject'],
    [decision, 'no json at all', 'not-json'],
    [decision, '{"format":999}', 'refused'],
    [decision, `{"format":1,"id":"${'x'.repeat(1_000_000)}"}`, 'refused'],
    ['quorate.decisions.local.short', '{}', 'unknown-subject'],
  ];
  const before = (await readDead()).length;
  await publishRaw(
    stage.operator.natsUrl,
    poison.map(([subject, payload]) => [subject, payload]),
  );

  // What comes behind the poison is handled as ever.
  await stage.kubectl('scale', 'etcdcluster', 'fine', '--replicas=2');
  await stage.settled('fine', 2);

  const dead = await until('all of it is in DEAD', async () => {
    const messages = (await readDead()).slice(before);
    return messages.length >= poison.length && messages;
  });
  const summary = ([subject, reason]: [string | undefined, string | undefined]) => `${subject} ${reason}`;
  assert.deepEqual(
    dead.map(({ headers }) => summary([headers['Quorate-Subject'], headers['Quorate-Reason']])).sort(),
    poison.map(([subject, , reason]) => summary([subject, reason])).sort(),
  );
  const huge = dead.filter(({ headers }) => Number(headers['Quorate-Full-Bytes']) > 999_999);
  assert.equal(huge.length, 2, 'a huge one is cut, and says how long it was');
  assert.ok(huge.every(({ payload }) => payload.length <= 256 * 1024));
});

async function readDead(): Promise<ReadMessage[]> {
  const { signal } = new AbortController();
  const bus = await connectBus({ url: stage.operator.natsUrl, name: 'test', log: createTestLog(), signal });
  try {
    const messages: ReadMessage[] = [];
    for await (const message of bus.read({ stream: 'dead', signal })) messages.push(message);
    return messages;
  } finally {
    await bus.close();
  }
}
