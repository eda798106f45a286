import { globSync } from 'node:fs';
import { styleText } from 'node:util';
import { ensurePrograms } from '../../services/cli/toolchain/ensure.ts';
import { programsNeeded, programVariables } from '../../services/cli/toolchain/programs.ts';
import { runProgram } from '../program.ts';
import { runInput } from './input/whole.ts';
import { type Plan, readPlan } from './plan.ts';
import type { CaseResult } from './run/case.ts';
import { openLanes } from './run/lanes.ts';
import { type Options, readOptions, usage } from './run/options.ts';
import { writeReport } from './run/report.ts';
import { type Case, casesOf } from './run/sweep.ts';

/** `npm run faults`: breaks a running Quorate in every way that a plan describes. `usage` explains the options. */

/** The cases that are wanted; that of a sweep brings the undisturbed one. */
function chooseCases(plans: readonly Plan[], { only, quick }: Options): Case[] {
  const all = plans.filter((plan) => !quick || plan.quick).flatMap(casesOf);
  const isMeant = ({ name, plan }: Case) => only.length === 0 || only.includes(name) || only.includes(plan);
  const unknown = only.filter((each) => !all.some(({ name, plan }) => name === each || plan === each));
  if (unknown.length > 0) throw new Error(`there is no plan or case ${unknown.join(', ')}`);
  const wanted = all.filter(isMeant);
  const swept = new Set(wanted.map(({ plan }) => plan));
  return all.filter((each) => isMeant(each) || (each.isUndisturbed && swept.has(each.plan)));
}

function say({ name, durationMs, failure, struck }: CaseResult, seed: number): void {
  const seconds = (durationMs / 1000).toFixed(0);
  const strikes = struck.map(
    ({ scenario, write, answer }) => `${scenario}: ${write}${answer ? ` → ${answer}` : ''}`,
  );
  const mark = failure === undefined ? styleText('green', '✔') : styleText('red', '✖');
  console.log(`${mark} ${name}  ${seconds} s  ${styleText('dim', strikes.join('; '))}`);
  if (failure === undefined) return;
  console.log(failure);
  console.log(`once more: npm run faults -- --only ${name} --seed ${seed}`);
}

/** Says how many writes each scenario of a sweep has; throws where the sweep would not reach all of them. */
function checkWrites({ name, sweep }: Plan, writes = new Map<string, string[]>()): void {
  for (const [scenario, all] of writes) {
    console.log(styleText('dim', `  ${name}, ${scenario}: ${all.length} writes: ${all.join(', ')}`));
    if (sweep && all.length > sweep.writes) throw new Error(`${name}: raise "writes" to ${all.length}`);
  }
}

async function main(options: Options): Promise<boolean> {
  const plans = globSync('test/faults/plans/*.yaml').sort().map(readPlan);
  const cases = chooseCases(plans, options);
  const { seed, lanes: count } = options;
  console.log(`${cases.length} cases, seed ${seed}`);
  const programs = await ensurePrograms(
    programsNeeded({ kube: false, nats: false, redis: false }),
    console.log,
  );
  Object.assign(process.env, programVariables(programs));
  const startedMs = performance.now();
  const lanes = openLanes(programs, count, seed);
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.once(signal, () => void lanes.stop().then(() => process.exit(130)));
  }
  try {
    const told = (result: CaseResult) => say(result, seed);
    // How it goes undisturbed must be known before the rest can be compared with it.
    const first = await lanes.run(
      cases.filter(({ isUndisturbed }) => isUndisturbed),
      told,
    );
    for (const plan of plans) checkWrites(plan, lanes.writes.get(plan.name));
    const rest = await lanes.run(
      cases.filter(({ isUndisturbed }) => !isUndisturbed),
      told,
    );
    const results = [...first, ...rest];
    const minutes = ((performance.now() - startedMs) / 60_000).toFixed(1);
    const failed = results.filter(({ failure }) => failure !== undefined);
    const strikes = results.reduce((sum, { struck }) => sum + struck.length, 0);
    console.log(
      `\n${results.length} cases, ${failed.length} failed; ${strikes} writes struck; ${minutes} min; seed ${seed}`,
    );
    for (const { name } of failed) console.log(styleText('red', `  ${name}`));
    if (options.only.length > 0 || options.quick) return failed.length === 0;
    await lanes.stop();
    const { isWell, section } = runInput(seed);
    await writeReport(plans, results, lanes.writes, section);
    return failed.length === 0 && isWell;
  } finally {
    await lanes.stop();
  }
}

await runProgram(usage, () => readOptions(process.argv.slice(2)), main);
