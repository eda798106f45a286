import { createHash } from 'node:crypto';

/** Chance that a seed repeats. */
export interface Random {
  /** A whole number from 0 to `below` − 1. */
  below(below: number): number;
  /** One of them; throws where there is none. */
  pick<Item>(items: readonly Item[]): Item;
}

/** The same numbers for the same seed and name, in the order in which they are asked for. */
export function createRandom(seed: number, name: string): Random {
  let turn = 0;
  const below = (limit: number) => {
    const digest = createHash('sha256').update(`${seed}/${name}/${turn++}`).digest();
    return digest.readUInt32BE() % limit;
  };
  return {
    below,
    pick(items) {
      const item = items[below(items.length)];
      if (item === undefined) throw new Error('there is nothing to pick from');
      return item;
    },
  };
}
