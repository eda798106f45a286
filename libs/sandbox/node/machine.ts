import { realpathSync } from 'node:fs';
import { messageOf, QuorateError } from '../../errors/catalogue.ts';
import { baseEnvironment, bubblewrapArguments } from './bubblewrap.ts';
import { findProgram, type Image } from './images.ts';
import { startProcess } from './process.ts';

/** What runs containers on this machine. */
export interface Machine {
  /** The absolute path of `bwrap`. */
  bubblewrap: string;
  /** Whether this process is not root, so that each container needs a user namespace. */
  rootless: boolean;
}

const plainImage: Image = { root: '/', programs: {}, environment: {}, runs: '' };

/**
 * Finds bubblewrap (BWRAP, else PATH) and tries it. Throws PROGRAM_MISSING where there is none and SANDBOX_FORBIDDEN
 * where the machine does not let it work.
 */
export async function findMachine(environment: Record<string, string | undefined>): Promise<Machine> {
  const found = findProgram('bwrap', environment);
  if (!found)
    throw new QuorateError('PROGRAM_MISSING', 'bwrap (Debian package bubblewrap, or name it in BWRAP)');
  const rootless = process.getuid?.() !== 0;
  try {
    const machine = { bubblewrap: realpathSync(found), rootless };
    await outputInside(machine, plainImage, ['true']);
    return machine;
  } catch (error) {
    throw new QuorateError('SANDBOX_FORBIDDEN', messageOf(error), { program: found }, error);
  }
}

/** What `command` prints inside an image; rejects with that output where it fails. */
export async function outputInside(machine: Machine, image: Image, command: string[]): Promise<string> {
  const box = { image, hostname: 'sandbox', mounts: [], workingDirectory: '/', command };
  let output = '';
  const collect = (chunk: Buffer) => {
    output += chunk.toString('utf8');
  };
  const args = bubblewrapArguments(box, machine.rootless);
  const { exited } = startProcess(machine.bubblewrap, args, baseEnvironment('sandbox'), collect);
  const { code } = await exited;
  if (code !== 0) throw new Error(output.trim() || `exit code ${code}`);
  return output;
}
