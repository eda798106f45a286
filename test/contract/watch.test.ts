import assert from 'node:assert/strict';
import type { ServerResponse } from 'node:http';
import { after, describe, test } from 'node:test';
import { connectKube, type WatchableKube } from '../../libs/kube/client.ts';
import { resourceTypes } from '../../libs/kube/object.ts';
import { type Change, watchObjects } from '../../libs/kube/watch.ts';
import { reply, type Script, startScriptedApi } from '../kube-api.ts';
import { createTestLog } from '../log.ts';

const pod = (name: string, resourceVersion: string) => ({
  metadata: { name, namespace: 'default', uid: `uid-${name}`, resourceVersion },
});
const list = (resourceVersion: string, ...items: object[]) => ({ metadata: { resourceVersion }, items });
const line = (type: string, object: object) => `${JSON.stringify({ type, object })}\n`;
const bookmark = (resourceVersion: string) => line('BOOKMARK', { metadata: { resourceVersion } });
const gone = { kind: 'Status', code: 410, reason: 'Expired', message: 'too old resource version' };

/** What the n-th list and the n-th watch answer; the last entry answers all that follow. */
interface Play {
  lists: ((response: ServerResponse) => void)[];
  watches: ((response: ServerResponse) => void)[];
  /** Called with the answer of each watch once the client has it. */
  opened?: (response: ServerResponse) => void;
}

/** Plays the API, follows the watch until `enough`, and returns what was seen and asked. */
async function follow(
  play: Play,
  enough: (seen: string[], lines: readonly unknown[]) => boolean,
  silenceMs = 60_000,
) {
  const asked: URL[] = [];
  let lists = 0;
  let watches = 0;
  let watching: ServerResponse | undefined;
  const script: Script = (request, response) => {
    const url = new URL(request.url, 'https://api');
    asked.push(url);
    const isWatch = url.searchParams.has('watch');
    const scenes = isWatch ? play.watches : play.lists;
    if (isWatch) watching = response;
    const index = Math.min(isWatch ? watches++ : lists++, scenes.length - 1);
    scenes[index]?.(response);
  };
  const api = await startScriptedApi(script);
  const connected = connectKube({
    id: 'test',
    kubeconfigPath: api.kubeconfigPath,
    timeoutMs: 5000,
  });
  const kube: WatchableKube = {
    ...connected,
    async openWatch(...asked) {
      const stream = await connected.openWatch(...asked);
      if (watching) play.opened?.(watching);
      return stream;
    },
  };
  const stop = new AbortController();
  const log = createTestLog();
  const seen: string[] = [];
  const deadline = setTimeout(() => stop.abort(), 20_000);
  try {
    const type = resourceTypes.pod;
    for await (const change of watchObjects({
      kube,
      type,
      log,
      signal: stop.signal,
      silenceMs,
    })) {
      seen.push(describeChange(change));
      if (enough(seen, log.lines)) break;
    }
    assert.ok(!stop.signal.aborted, `gave up after: ${seen.join(', ')}`);
  } finally {
    clearTimeout(deadline);
    await kube.close();
    await api.stop();
  }
  return {
    seen: seen.filter((entry) => entry !== 'listing'),
    asked,
    lines: log.lines.map(({ message }) => message),
  };
}

function describeChange(change: Change): string {
  if (change.type === 'listing') return 'listing';
  if (change.type === 'listed') return `listed ${change.items.map((item) => item.metadata.name).join('+')}`;
  return `${change.type} ${change.object.metadata.name}`;
}

const open = (response: ServerResponse, ...text: string[]) => {
  response.writeHead(200, { 'content-type': 'application/json' });
  response.flushHeaders();
  for (const part of text) response.write(part);
};
const has = (entry: string) => (seen: string[]) => seen.includes(entry);
const listsOf = (asked: URL[]) => asked.filter((url) => !url.searchParams.has('watch'));
const watchesOf = (asked: URL[]) => asked.filter((url) => url.searchParams.has('watch'));

describe('the list-watch loop', { concurrency: true }, () => {
  const timers: NodeJS.Timeout[] = [];
  after(() => timers.forEach(clearTimeout));
  /** Ends a watch that has stood for longer than one has to, by the time of the client: it may be late to hear of it. */
  const endLater = (response: ServerResponse) => timers.push(setTimeout(() => response.end(), 2500));

  test('lists, then watches from there, with bookmarks and a time limit asked for', async () => {
    const { seen, asked } = await follow(
      {
        lists: [(response) => reply(response, 200, list('7', pod('a', '5')))],
        watches: [(response) => open(response, line('ADDED', pod('b', '8')), line('DELETED', pod('a', '9')))],
      },
      has('deleted a'),
    );
    assert.deepEqual(seen, ['listed a', 'added b', 'deleted a']);
    const [watch] = watchesOf(asked);
    assert.equal(watch?.searchParams.get('resourceVersion'), '7');
    assert.equal(watch?.searchParams.get('allowWatchBookmarks'), 'true');
    const seconds = Number(watch?.searchParams.get('timeoutSeconds'));
    assert.ok(seconds >= 30 && seconds <= 50, `${seconds}`);
  });

  test('a line that comes in pieces, in the middle of a character too, is one event', async () => {
    const bytes = Buffer.from(line('ADDED', { ...pod('b', '8'), note: 'Grüße' }));
    const cut = bytes.indexOf(0xc3) + 1;
    const { seen } = await follow(
      {
        lists: [(response) => reply(response, 200, list('7'))],
        watches: [
          (response) => {
            open(response);
            response.write(bytes.subarray(0, cut));
            timers.push(setTimeout(() => response.write(bytes.subarray(cut)), 100));
          },
        ],
      },
      has('added b'),
    );
    assert.deepEqual(seen, ['listed ', 'added b']);
  });

  test('a watch that ends in order is renewed from the last bookmark, without a list and without a word', async () => {
    const { asked, lines } = await follow(
      {
        lists: [(response) => reply(response, 200, list('7'))],
        watches: [
          (response) => open(response, bookmark('42')),
          (response) => open(response, line('ADDED', pod('b', '43'))),
        ],
        opened: endLater,
      },
      has('added b'),
    );
    assert.equal(listsOf(asked).length, 1);
    assert.deepEqual(
      watchesOf(asked).map((url) => url.searchParams.get('resourceVersion')),
      ['7', '42'],
    );
    assert.deepEqual(lines, []);
  });

  test('a watch that ends in order without ever having said a word is not trusted: a list follows', async () => {
    const { seen, lines } = await follow(
      {
        lists: [
          (response) => reply(response, 200, list('7')),
          (response) => reply(response, 200, list('9', pod('c', '8'))),
        ],
        watches: [(response) => open(response)],
        opened: endLater,
      },
      has('listed c'),
    );
    assert.deepEqual(seen, ['listed ', 'listed c']);
    assert.deepEqual(lines, []);
  });

  test('410 as an ERROR event leads to a list, without a word', async () => {
    const { seen, lines } = await follow(
      {
        lists: [
          (response) => reply(response, 200, list('7', pod('a', '5'))),
          (response) => reply(response, 200, list('99', pod('c', '90'))),
        ],
        watches: [
          (response) => open(response, line('ERROR', gone)),
          (response) => open(response, line('ADDED', pod('d', '100'))),
        ],
      },
      has('added d'),
    );
    assert.deepEqual(seen, ['listed a', 'listed c', 'added d']);
    assert.deepEqual(lines, []);
  });

  test('410 as the reply to the watch leads to a list', async () => {
    const { seen } = await follow(
      {
        lists: [
          (response) => reply(response, 200, list('7')),
          (response) => reply(response, 200, list('9', pod('c', '8'))),
        ],
        watches: [(response) => reply(response, 410, gone), (response) => open(response)],
      },
      has('listed c'),
    );
    assert.deepEqual(seen, ['listed ', 'listed c']);
  });

  test('a silent watch is given up and everything is listed again', async () => {
    const startMs = performance.now();
    const { seen } = await follow(
      {
        lists: [
          (response) => reply(response, 200, list('7')),
          (response) => reply(response, 200, list('9', pod('c', '8'))),
        ],
        watches: [(response) => open(response)],
      },
      has('listed c'),
      1500,
    );
    assert.deepEqual(seen, ['listed ', 'listed c']);
    assert.ok(performance.now() - startMs >= 1400);
  });

  for (const [name, broken] of [
    ['a line that is no JSON', '{"type":"ADDED",\n'],
    ['an unknown event', line('SURPRISE', pod('x', '8'))],
    ['an event without an object', '{"type":"ADDED"}\n'],
    ['an ERROR event', line('ERROR', { kind: 'Status', code: 500, reason: 'InternalError', message: 'no' })],
    ['the end of the stream in the middle of a line', '{"type":"ADD'],
  ] as const) {
    test(`${name} is an error: one line, then a list`, async () => {
      const { seen, lines } = await follow(
        {
          lists: [
            (response) => reply(response, 200, list('7')),
            (response) => reply(response, 200, list('9', pod('c', '8'))),
          ],
          watches: [
            (response) => {
              open(response, broken);
              response.end();
            },
            (response) => open(response),
          ],
        },
        has('listed c'),
      );
      assert.deepEqual(seen, ['listed ', 'listed c']);
      assert.equal(lines.length, 1, lines.join('\n'));
    });
  }

  test('an outage of many failures is one line at its start and one at its end', async () => {
    const missing = (response: ServerResponse) => {
      response.writeHead(404).end('404 page not found');
    };
    const { seen, lines, asked } = await follow(
      {
        lists: [missing, missing, missing, (response) => reply(response, 200, list('7', pod('a', '5')))],
        watches: [
          (response) => {
            open(response);
            // Again and again: it stands for a while before the outage is said to be over.
            const timer = setInterval(() => response.write(line('ADDED', pod('b', '8'))), 300);
            response.on('close', () => clearInterval(timer));
          },
        ],
      },
      (_seen, lines) => lines.length > 1,
    );
    assert.deepEqual([...new Set(seen)], ['listed a', 'added b']);
    assert.equal(listsOf(asked).length, 4);
    assert.equal(lines.length, 2, lines.join('\n'));
  });

  test('an exception of the caller reaches the caller, and the connection is given back', async () => {
    const closed = Promise.withResolvers<void>();
    await assert.rejects(
      follow(
        {
          lists: [(response) => reply(response, 200, list('7'))],
          watches: [
            (response) => {
              response.on('close', () => closed.resolve());
              open(response, line('ADDED', pod('b', '8')));
            },
          ],
        },
        (seen) => {
          if (seen.includes('added b')) throw new Error('the caller is at fault');
          return false;
        },
      ),
      /the caller is at fault/,
    );
    await closed.promise;
  });
});
