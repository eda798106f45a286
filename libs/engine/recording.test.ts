import assert from 'node:assert/strict';
import { test } from 'node:test';
import { gunzipSync, gzipSync } from 'node:zlib';
import { isError } from '../errors/catalogue.ts';
import { readDecision } from './decision.ts';
import { decodeRecording, encodeRecording, type RecordingEntry } from './recording.ts';

const header = {
  kube: 'local',
  keys: ['etcd/default/example'],
  since: null,
  until: '2026-01-01T01:00:00.000Z',
  exportedAt: '2026-01-01T01:00:00.000Z',
  quorateVersion: '0.1.0',
  keptSince: '2026-01-01T00:00:00.000Z',
};
const time = '2026-01-01T00:00:00.000Z';
const key = 'etcd/default/example';
const decision = readDecision({
  ...{ format: 2, id: 'pass-1', kube: 'local', key, engine: { name: 'etcd', version: 2 }, worker: 'w' },
  ...{ sequence: 1, wokenBy: ['u/1/added'], traceId: 't', time, spec: { size: 3 }, facts: {}, nowMs: 1 },
  ...{ steps: [], durationMs: { observe: 0, plan: 0, act: 0 } },
});
const repeat = {
  ...{ format: 1 as const, kube: 'local', key, worker: 'w', decision: 'pass-1' },
  ...{ count: 2, firstTime: time, lastTime: time },
};
const event = {
  subject: 'quorate.events.local.etcd.default.example.pods.example-1',
  storedAt: time,
  event: { id: 'u/1/added', type: 'io.quorate.kube.added', time, data: { kind: 'Pod' } },
};
const entries: RecordingEntry[] = [{ event }, { decision }, { repeat }];

async function textOf(): Promise<string> {
  let text = '';
  for await (const line of encodeRecording(header, entries)) text += line;
  return text;
}
const refusal = (file: Uint8Array): string => {
  try {
    decodeRecording(file);
  } catch (error) {
    if (isError(error, 'RECORDING_REFUSED')) return error.message;
    throw error;
  }
  return '';
};

test('a recording reads back as it was written', async () => {
  const { header: read, ...rest } = decodeRecording(gzipSync(await textOf()));
  assert.deepEqual(read, { format: 'quorate-recording/1', ...header });
  assert.deepEqual(rest, { decisions: [decision], repeats: [repeat], events: [event] });
});

test('a file that was cut is refused, wherever it was cut', async () => {
  const text = await textOf();
  const file = gzipSync(text);
  for (let length = 0; length < file.length; length += 7) {
    assert.match(refusal(file.subarray(0, length)), /no gzip file|cut off or damaged/, `${length} bytes`);
  }
  const lines = text.split('\n').slice(0, -1);
  for (let count = 1; count < lines.length; count++) {
    assert.match(
      refusal(gzipSync(`${lines.slice(0, count).join('\n')}\n`)),
      /cut off after line/,
      `${count} lines`,
    );
  }
  assert.match(refusal(gzipSync(text.slice(0, -20))), /is no JSON/);
});

test('a file that was changed, or is none of ours, is refused with the reason', async () => {
  const text = await textOf();
  const lines = text.split('\n');
  const refused: [Uint8Array, RegExp][] = [
    [gzipSync(text.replace('"size":3', '"size":5')), /checksum/],
    [gzipSync([lines[0], ...lines.slice(2)].join('\n')), /checksum/],
    [gzipSync(text.replace('recording/1', 'recording/9')), /format quorate-recording\/9/],
    [gzipSync('{"kind":"List"}\n{}\n'), /does not begin/],
    [gzipSync('hello\n'), /line 1 is no JSON/],
    [new TextEncoder().encode(text), /no gzip file/],
    [new Uint8Array(), /no gzip file/],
  ];
  for (const [file, reason] of refused) assert.match(refusal(file), reason);
  assert.equal(refusal(gzipSync(gunzipSync(gzipSync(text)))), '');
});
