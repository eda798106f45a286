import assert from 'node:assert/strict';
import { execFile, spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { after, test } from 'node:test';
import { promisify } from 'node:util';
import type { RecordingEntry } from '../../../libs/engine/recording.ts';
import { until } from '../../../test/wait.ts';
import { readRecording, writeRecording } from '../records/file.ts';
import { plain } from '../show/paint.ts';
import { entryLines } from './lines.ts';
import { createTeller, inOrder, type StoryEntry } from './story.ts';

/** From a real run: a cluster of three is made, and a pod of it, which has no claim, is deleted by a person. */
const recording = join(import.meta.dirname, 'testing/pod-replaced.quorate');
const cli = join(import.meta.dirname, '../main.ts');

const { header, entries } = await readRecording(recording);
const empty = await mkdtemp(join(tmpdir(), 'quorate-story-'));
after(() => rm(empty, { recursive: true }));

/** There is neither Kubernetes nor a bus. */
const nowhere = { cwd: empty, env: { PATH: process.env['PATH'] } };

/** What a command prints in a pipe. */
async function printed(...args: string[]): Promise<string> {
  const line = [cli, ...args, '--from', recording];
  const { stdout } = await promisify(execFile)(process.execPath, line, nowhere);
  return stdout;
}

const asIs = { serializers: [(text: unknown) => String(text)] };
const snapshot = (name: string) => join(import.meta.dirname, `testing/pod-replaced.${name}.txt`);

/** The snapshots are made anew by `node --test --test-update-snapshots`; then read what changed. */
test('the story of a recording reads as it did, without a server, a colour or a width', async (context) => {
  context.assert.fileSnapshot(await printed('events'), snapshot('events'), asIs);
});

test('why a pod is there reads as it did', async (context) => {
  context.assert.fileSnapshot(await printed('why', 'pod/db-4'), snapshot('why-pod'), asIs);
  context.assert.fileSnapshot(
    await printed('why', 'condition/Recovering', 'db'),
    snapshot('why-condition'),
    asIs,
  );
});

function tell(records: readonly RecordingEntry[]): StoryEntry[] {
  const teller = createTeller();
  return [...inOrder(records).flatMap((record) => teller.take(record)), ...teller.rest()];
}

test('every event and pass is told once, each pass after what woke it, whichever stream is read first', () => {
  // Each stream is read in its own order, and any of them first.
  const told = tell(entries.toSorted((a, b) => Number('event' in a) - Number('event' in b)));
  assert.deepEqual(told, tell(entries));
  const changes = told.flatMap((entry) => (entry.type === 'change' ? [entry.event] : []));
  assert.equal(changes.length, entries.filter((entry) => 'event' in entry).length);
  assert.equal(new Set(changes).size, changes.length);
  const passes = told.flatMap((entry) =>
    entry.type === 'pass' ? [1] : entry.type === 'repeats' ? [entry.count] : [],
  );
  const repeated = entries.flatMap((entry) =>
    'repeat' in entry ? [entry.repeat.count] : 'decision' in entry ? [1] : [],
  );
  const sum = (counts: number[]) => counts.reduce((a, b) => a + b, 0);
  assert.equal(sum(passes), sum(repeated));
  const place = (event: string) =>
    told.findIndex((entry) => entry.type === 'change' && entry.event === event);
  for (const [index, entry] of told.entries()) {
    if (entry.type !== 'pass') continue;
    for (const { event, object } of entry.wokenBy) if (object !== undefined) assert.ok(place(event) < index);
  }
});

test('passes that repeat the last are one line, however many workers counted them', () => {
  const decision = entries.find((entry) => 'decision' in entry);
  assert.ok(decision && 'decision' in decision);
  const { id, key, kube } = decision.decision;
  const repeat = (worker: string, count: number, lastTime: string): RecordingEntry => ({
    repeat: {
      format: 1,
      kube,
      key,
      worker,
      decision: id,
      count,
      firstTime: '2026-11-21T12:00:00.000Z',
      lastTime,
    },
  });
  const teller = createTeller();
  const lines = (told: StoryEntry[]) => told.flatMap((entry) => entryLines(entry, plain));
  teller.take(decision);
  teller.take(repeat('one', 200, '2026-11-21T12:03:00.000Z'));
  teller.take(repeat('two', 40, '2026-11-21T12:03:10.000Z'));
  assert.deepEqual(lines(teller.rest()), [
    '12:00:00.000  240 more passes until 12:03:10.000, nothing changed',
  ]);
  // The count goes on in the same message; what was told of it is not told again.
  teller.take(repeat('two', 41, '2026-11-21T12:03:20.000Z'));
  assert.deepEqual(lines(teller.rest()), ['12:03:10.000  one more pass, nothing changed']);
  assert.deepEqual(teller.rest(), []);
});

test('with --json every line is an entry', async () => {
  const lines = (await printed('events', '--json')).trimEnd().split('\n');
  assert.deepEqual(
    lines.map((line) => JSON.parse(line) as StoryEntry),
    JSON.parse(JSON.stringify(tell(entries))),
  );
});

test('a story that is longer than a pipe holds is told to its end, however late it is read', async () => {
  const message = 'a long word '.repeat(5000);
  const long = entries.map((entry) => {
    if (!('decision' in entry) || !entry.decision.plan) return entry;
    return { decision: { ...entry.decision, plan: { ...entry.decision.plan, message } } };
  });
  const file = join(empty, 'long.quorate');
  await writeRecording(file, header, long);
  const line = [cli, 'events', '--json', '--from', file];
  const { stdout } = spawn(process.execPath, line, { ...nowhere, stdio: ['ignore', 'pipe', 'inherit'] });
  await until('more is told than is read ahead', () => stdout.readableLength >= stdout.readableHighWaterMark);
  const lines = (await text(stdout)).trimEnd().split('\n');
  assert.deepEqual(
    lines.map((each) => JSON.parse(each) as StoryEntry),
    JSON.parse(JSON.stringify(tell(long))),
  );
});
