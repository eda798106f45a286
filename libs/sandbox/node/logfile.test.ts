import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { LogFile } from './logfile.ts';

function logFile(t: TestContext): LogFile {
  const folder = mkdtempSync(join(tmpdir(), 'quorate-log-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  return new LogFile(join(folder, '0.log'));
}

const signal = () => AbortSignal.timeout(10_000);

async function all(log: LogFile, options: object = {}): Promise<string> {
  let text = '';
  const asked = { follow: false, timestamps: false, signal: signal(), ...options };
  for await (const chunk of log.read(asked)) text += chunk;
  return text;
}

test('lines come whole, with their times on demand', async (t) => {
  const log = logFile(t);
  log.append(Buffer.from('one\ntw'), new Date(1_000));
  assert.equal(await all(log), 'one\n');
  log.append(Buffer.from('o\nthree'), new Date(2_000));
  log.end(new Date(3_000));
  assert.equal(await all(log), 'one\ntwo\nthree\n');
  assert.equal(await all(log, { tailLines: 1 }), 'three\n');
  assert.equal(await all(log, { tailLines: 0 }), '');
  assert.equal(await all(log, { since: new Date(2_000) }), 'two\nthree\n');
  assert.equal(await all(log, { tailLines: 1, timestamps: true }), '1970-01-01T00:00:03.000Z three\n');
});

test('a follower gets what comes later, until the run ends', async (t) => {
  const log = logFile(t);
  log.append(Buffer.from('ä\n'));
  const following = log.read({ follow: true, timestamps: false, signal: signal() });
  assert.equal((await following.next()).value, 'ä\n');
  const next = following.next();
  log.append(Buffer.from('b\n'));
  assert.equal((await next).value, 'b\n');
  const last = following.next();
  log.append(Buffer.from('c'));
  log.end();
  assert.equal((await last).value, 'c\n');
  assert.equal((await following.next()).done, true);
});

test('a follower that leaves is let go', async (t) => {
  const log = logFile(t);
  const leaving = new AbortController();
  const following = log.read({ follow: true, timestamps: false, signal: leaving.signal });
  const next = following.next();
  leaving.abort();
  assert.equal((await next).done, true);
  log.end();
});
