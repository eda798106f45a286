import { readFileSync } from 'node:fs';
import { parse } from 'yaml';
import { z } from 'zod';
import { actions, checks } from './words.ts';

/** A word of a plan with what it was given, e.g. `scale: {size: 3}`. */
export interface Phrase {
  word: string;
  given: unknown;
}

/** A phrase is written as an object of one field, or where nothing is given, as the word alone. */
const phraseOf = (vocabulary: Record<string, { given: z.ZodType }>, kind: string) =>
  z.union([z.string(), z.record(z.string(), z.unknown())]).transform((text, context): Phrase => {
    const [[word, given] = ['', {}], ...more] =
      typeof text === 'string' ? [[text, {}] as const] : Object.entries(text);
    const known = vocabulary[word];
    if (known === undefined || more.length > 0) {
      const words = Object.keys(vocabulary).join(', ');
      context.addIssue(`${JSON.stringify(text)} is not one ${kind}; there are ${words}`);
      return z.NEVER;
    }
    const read = known.given.safeParse(given ?? {});
    if (read.success) return { word, given: read.data };
    context.addIssue(`${word}: ${z.prettifyError(read.error)}`);
    return z.NEVER;
  });

/** How each write of a scenario is struck: the worker is killed right before or after it, or stopped before it. */
export const strikes = ['kill-before', 'kill-after', 'stop-before'] as const;
export type StrikeKind = (typeof strikes)[number];

export const planSchema = z.strictObject({
  /** As the file is called. */
  name: z.string().regex(/^[a-z0-9-]+$/),
  /** What it shows, in a sentence. */
  about: z.string(),
  /** Runs in `npm test` too. */
  quick: z.boolean().default(false),
  /** What is done and broken, in this order; each word is a file of `actions/`. */
  steps: z.array(phraseOf(actions, 'action')).min(1),
  /** What must hold from the first step to the end, besides what must in every case; each word is a file of `checks/`. */
  holds: z.array(phraseOf(checks, 'check')).default([]),
  /** Makes a case of every write: see `run/sweep.ts`. */
  sweep: z
    .strictObject({
      each: z.array(z.enum(strikes)).min(1),
      /** At least as many as the longest scenario has writes. */
      writes: z.int().min(1),
      /** Only these writes, e.g. for a quick part of it. */
      only: z.array(z.int().min(1)).optional(),
    })
    .optional(),
});

export type Plan = z.infer<typeof planSchema>;

/** Reads a plan; throws an error that says what is wrong with it. */
export function readPlan(path: string): Plan {
  const read = planSchema.safeParse(parse(readFileSync(path, 'utf8')));
  if (read.success) return read.data;
  throw new Error(`${path}: ${z.prettifyError(read.error)}`);
}
