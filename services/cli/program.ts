import { Command, CommanderError } from 'commander';
import { messageOf, QuorateError } from '../../libs/errors/catalogue.ts';
import { addEvents } from './commands/events.ts';
import { addPlan } from './commands/plan.ts';
import { addReplay } from './commands/replay.ts';
import { addStatus } from './commands/status.ts';
import { addUp } from './commands/up.ts';
import { addWhy } from './commands/why.ts';

/** Runs one command line. Returns the exit code: 0 done, 1 an error, said in a line with what to do, 2 wrong usage; a command may set another. */
export async function runProgram(argv: string[]): Promise<number> {
  const program = new Command('quorate')
    .description('Runs stateful applications on Kubernetes, and can always say what it did and why.')
    .helpCommand('help [command]', 'explain a command')
    .showHelpAfterError('(--help explains the options)')
    .addHelpText('after', '\nExample:\n  quorate up --example    from nothing to a running etcd cluster')
    .exitOverride();
  addUp(program);
  addStatus(program);
  addEvents(program);
  addWhy(program);
  addPlan(program);
  addReplay(program);
  try {
    await program.parseAsync(argv);
    return Number(process.exitCode ?? 0);
  } catch (error) {
    // Commander has said it already, help included.
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2;
    console.error(`quorate: ${messageOf(error)}`);
    if (error instanceof QuorateError) console.error(error.help);
    // An error without a name is a fault of ours, and its place is what we need to mend it.
    else if (error instanceof Error) console.error(error.stack);
    return Number(process.exitCode ?? 1);
  }
}
