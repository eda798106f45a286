import { styleText } from 'node:util';
import { messageOf } from '../libs/errors/catalogue.ts';

/**
 * Runs a program of the tests as a command: exit code 0 where `main` says that all is well, 1 where it does not or
 * fails, and 2, with the usage, where its options cannot be read.
 */
export async function runProgram<Options>(
  usage: string,
  readOptions: () => Options,
  main: (options: Options) => Promise<boolean>,
): Promise<void> {
  let options: Options;
  try {
    options = readOptions();
  } catch (error) {
    console.error(`${messageOf(error)}\n\n${usage}`);
    process.exit(2);
  }
  try {
    process.exitCode = (await main(options)) ? 0 : 1;
  } catch (error) {
    console.error(styleText('red', messageOf(error)));
    process.exitCode = 1;
  }
}
