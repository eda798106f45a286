import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { WatchFault } from '../faults.ts';
import { disturbed } from './watch-faults.ts';

const told = (fault: WatchFault | undefined, changes: number[]): number[] => {
  const seen: number[] = [];
  const watch = disturbed<number>(
    () => fault,
    (change) => seen.push(change),
  );
  for (const change of changes) watch.tell(change);
  watch.close();
  return seen;
};

test('events come as they are, not at all, twice, or overtake each other', () => {
  assert.deepEqual(told(undefined, [1, 2, 3]), [1, 2, 3]);
  assert.deepEqual(told({ events: 'dropped' }, [1, 2, 3]), []);
  assert.deepEqual(told({ events: 'doubled' }, [1, 2]), [1, 1, 2, 2]);
  assert.deepEqual(told({ events: 'reordered' }, [1, 2, 3, 4]), [2, 1, 4, 3]);
});

test('one that nothing overtakes comes late, and so does every event of a slow watch', (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  for (const fault of [{ events: 'reordered' }, { delayMs: 1000 }] as WatchFault[]) {
    const seen: number[] = [];
    const watch = disturbed<number>(
      () => fault,
      (change) => seen.push(change),
    );
    watch.tell(1);
    assert.deepEqual(seen, []);
    t.mock.timers.tick(1000);
    assert.deepEqual(seen, [1]);
    watch.close();
  }
});
