#!/usr/bin/env node
import { enableCompileCache } from 'node:module';
import { compileCache } from './toolchain/cache.ts';

/** The `quorate` command line. All else is imported after the cache is on, so that it is compiled only once. */
enableCompileCache(compileCache());
const { runProgram } = await import('./program.ts');
// All is said and stopped by now: a connection that still waits for an answer must not keep the process.
process.exit(await runProgram(process.argv));
