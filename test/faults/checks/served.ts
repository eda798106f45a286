import assert from 'node:assert/strict';
import { z } from 'zod';
import { check } from '../vocabulary.ts';

/** From its first acknowledged write on, no cluster was without one for longer than that. */
export const served = check(
  z.strictObject({ longestPauseMs: z.int().min(1) }),
  (scene, { longestPauseMs }) => {
    return () => {
      for (const [name, { cluster }] of scene.subjects) {
        const pauseMs = Math.round(cluster.writer.longestPauseMs());
        assert.ok(pauseMs <= longestPauseMs, `${name} acknowledged nothing for ${pauseMs} ms`);
      }
    };
  },
);
