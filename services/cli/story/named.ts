import type { Decision } from '../../../libs/engine/decision.ts';
import { type Difference, differences, isFields, isRestless, readable } from './differences.ts';
import type { History } from './history.ts';
import type { Change } from './objects.ts';

/** What the words of a pass name, and what its facts say about that. Pure. */

export interface Found {
  name: string;
  /** In which parts of the facts it was. */
  among: string[];
  /** In which lists of the facts it was not. */
  notAmong: string[];
}

/** `example-1` of `pod/example-1` */
export const bareName = ({ object }: Pick<Change, 'object'>): string => object.slice(object.indexOf('/') + 1);

/** The things that the words of a pass name; what is called as the cluster itself says too little. */
export function namesIn(history: History, { plan, steps, facts }: Decision): string[] {
  const said = wordsOf([plan?.message ?? '', ...steps.map(({ why }) => why)].join(' '));
  const known = [...history.changes.map(bareName), ...partsOf(facts).flatMap(({ names }) => names)];
  return [...new Set(known)].filter((name) => name !== history.cluster && said.has(name)).sort();
}

/** The words of a text, names whole. */
export const wordsOf = (text: string): Set<string> =>
  new Set(text.split(/[^A-Za-z0-9.-]+/).map((word) => word.replace(/[.-]+$/, '')));

interface Part {
  part: string;
  isList: boolean;
  names: string[];
}

/** The named things in each part of the facts. */
function partsOf(facts: unknown): Part[] {
  return Object.entries((facts ?? {}) as Record<string, unknown>).flatMap(([part, value]): Part[] => {
    const things = readable(value);
    if (Array.isArray(things)) {
      const names = things.map((item) => String((item as { name?: unknown } | null)?.name));
      return [{ part, isList: true, names }];
    }
    return isFields(things) ? [{ part, isList: false, names: Object.keys(things) }] : [];
  });
}

/** What of what it names a pass saw otherwise than the one before. */
export function sawOf(before: Decision, after: Decision, names: readonly string[]): Difference[] {
  const found = [
    ...differences(before.spec, after.spec, ['spec']),
    ...differences(before.facts, after.facts),
  ];
  const isNamed = ({ path }: Difference) => path[0] === 'spec' || path.some((name) => names.includes(name));
  return found.filter((each) => isNamed(each) && !each.path.some(isRestless));
}

/** In which parts of the facts each name is found, and in which lists it is not. */
export function foundOf({ facts }: Decision, names: readonly string[]): Found[] {
  const parts = partsOf(facts);
  return names.map((name) => ({
    name,
    among: parts.filter((each) => each.names.includes(name)).map(({ part }) => part),
    notAmong: parts.filter((each) => each.isList && !each.names.includes(name)).map(({ part }) => part),
  }));
}
