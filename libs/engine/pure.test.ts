import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isError } from '../errors/catalogue.ts';
import { runPure } from './pure.ts';

test('a plan that reaches for what it was not given is told what to use instead', () => {
  const reaches: [() => unknown, RegExp][] = [
    [() => Date.now(), /nowMs/],
    [() => new Date(), /nowMs/],
    [() => Date(), /nowMs/],
    [() => performance.now(), /nowMs/],
    [() => Math.random(), /sort/],
    [() => crypto.randomUUID(), /sort/],
    [() => setTimeout(() => {}, 1), /requeueAfterMs/],
    [() => setInterval(() => {}, 1), /requeueAfterMs/],
    [() => setImmediate(() => {}), /requeueAfterMs/],
    [() => fetch('http://127.0.0.1'), /observe/],
    [() => process.env['HOME'], /spec/],
    [() => Object.keys(process.env), /spec/],
  ];
  for (const [reach, port] of reaches) {
    assert.throws(
      () => runPure(reach),
      (error: Error) => isError(error, 'PLAN_IMPURE') && port.test(error.message),
      String(reach),
    );
  }
});

test('given times can be computed with, and everything is as before when the plan is made, or has failed', () => {
  assert.equal(
    runPure(() => new Date(0).toISOString() + Date.parse('1970-01-01T00:00:01Z') + Date.UTC(1970, 0)),
    '1970-01-01T00:00:00.000Z10000',
  );
  assert.ok(runPure(() => new Date(5)) instanceof Date);
  const before = [Date, Math.random, performance.now, process.env, globalThis.crypto, setTimeout, fetch];
  assert.throws(() => runPure(() => JSON.parse('no')), SyntaxError);
  assert.deepEqual(
    [Date, Math.random, performance.now, process.env, globalThis.crypto, setTimeout, fetch],
    before,
  );
  assert.ok(Date.now() > 0 && Math.random() < 1 && performance.now() > 0 && crypto.randomUUID().length > 0);
});
