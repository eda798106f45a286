import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createTestLog } from '../../test/log.ts';
import { createOutage, shareOutage } from './outage.ts';

test('what several notice is one outage, from the first to begin until the last to end', () => {
  const log = createTestLog();
  const share = shareOutage(createOutage(log, 'The server', 'here'));
  const [one, other, healthy] = [share(), share(), share()];
  const levels = () => log.lines.map(({ level }) => level);
  one.begin('down');
  other.begin('down');
  one.begin('still down');
  healthy.end();
  one.end();
  assert.deepEqual(levels(), ['warn']);
  assert.deepEqual([one.active, other.active, healthy.active], [false, true, false]);
  other.end();
  other.end();
  assert.deepEqual(levels(), ['warn', 'info']);
});
