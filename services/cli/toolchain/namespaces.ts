import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { messageOf, QuorateError } from '../../../libs/errors/catalogue.ts';

/**
 * Runs nothing in a box of its own, which is what the sandbox does with every container. Throws NAMESPACES_REFUSED
 * with the kernel's words where this machine does not allow it.
 */
export async function checkNamespaces(bwrapPath: string): Promise<void> {
  const box = [
    '--die-with-parent',
    '--unshare-pid',
    '--ro-bind',
    '/',
    '/',
    '--dev',
    '/dev',
    '--proc',
    '/proc',
  ];
  try {
    await promisify(execFile)(bwrapPath, [...box, '--', 'true'], { timeout: 10_000 });
  } catch (error) {
    const said = (error as { stderr?: string }).stderr?.trim() || messageOf(error);
    throw new QuorateError('NAMESPACES_REFUSED', said);
  }
}
