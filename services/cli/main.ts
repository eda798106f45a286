#!/usr/bin/env node
import { enableCompileCache } from 'node:module';
import { compileCache } from './toolchain/cache.ts';

/** The `quorate` command line. All else is imported after the cache is on, so that it is compiled only once. */
enableCompileCache(compileCache());
const { runProgram } = await import('./program.ts');
const exitCode = await runProgram(process.argv);
// A pipe takes only what it has room for; the rest waits for its reader, and would be lost with the process.
await Promise.all([process.stdout, process.stderr].map(written));
// All is said and stopped by now: a connection that still waits for an answer must not keep the process.
process.exit(exitCode);

/** Resolves when all that was written to the stream before has been taken, or its reader has gone away. */
async function written(stream: NodeJS.WriteStream): Promise<void> {
  stream.on('error', () => {});
  await new Promise<void>((resolve) => {
    stream.write('', () => resolve());
  });
}
