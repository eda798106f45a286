import { randomInt } from 'node:crypto';
import { parseArgs } from 'node:util';

export const usage = `npm run faults -- [options]

Breaks a running Quorate by the plans in test/faults/plans, each on a sandbox with real NATS, Redis and etcd.
Without --only and --quick the whole of it, which writes test/faults/report.md.

  --only NAME   only this plan, or this case of a sweep; may be given more than once
  --seed N      the chance of an earlier run again
  --quick       the plans that npm test runs
  --lanes N     how many sandboxes side by side (default: 2)`;

export interface Options {
  only: string[];
  seed: number;
  quick: boolean;
  lanes: number;
}

/** Reads the command line; throws an error that says what is wrong with it. */
export function readOptions(args: string[]): Options {
  const { values } = parseArgs({
    args,
    options: {
      only: { type: 'string', multiple: true, default: [] },
      seed: { type: 'string', default: String(randomInt(1_000_000)) },
      quick: { type: 'boolean', default: false },
      lanes: { type: 'string', default: '2' },
    },
  });
  const wholeNumber = (name: 'seed' | 'lanes', least: number) => {
    const number = Number(values[name]);
    if (!Number.isInteger(number) || number < least)
      throw new Error(`--${name} ${values[name]} is no number`);
    return number;
  };
  return {
    ...{ only: values.only, quick: values.quick },
    ...{ seed: wholeNumber('seed', 0), lanes: wholeNumber('lanes', 1) },
  };
}
