import { QuorateError } from '../../../libs/errors/catalogue.ts';
import { findPrograms } from './find.ts';
import { findPrivilege, hasApt, installPackages } from './install.ts';
import { describeMissing, type ProgramName, type ProgramPaths, programs } from './programs.ts';

/**
 * Finds all the programs, installing from Debian's packages what is missing where that is allowed, after saying so.
 * Throws PROGRAM_MISSING with one list of all that is still missing.
 */
export async function ensurePrograms(
  names: readonly ProgramName[],
  say: (line: string) => void,
  options: { install: boolean } = { install: true },
): Promise<ProgramPaths> {
  const before = await findPrograms(names);
  if (before.missing.length === 0) return before.paths;
  const packages = before.missing.flatMap((name) => programs[name].debianPackage ?? []);
  const mayInstall = options.install && packages.length > 0 && hasApt();
  const privilege = mayInstall ? await findPrivilege() : undefined;
  if (privilege === undefined) throw missingError(before.missing);

  say(`Installing from Debian: ${packages.join(', ')} (their services are not started)`);
  const exitCode = await installPackages(packages, privilege);
  const after = await findPrograms(names);
  if (after.missing.length > 0) throw missingError(after.missing, exitCode);
  return after.paths;
}

function missingError(missing: readonly ProgramName[], aptExitCode = 0): QuorateError {
  const apt = aptExitCode === 0 ? '' : ` (apt-get failed with exit code ${aptExitCode}, see above)`;
  return new QuorateError(
    'PROGRAM_MISSING',
    `${missing.map((name) => programs[name].command).join(', ')}${apt}\n${describeMissing(missing)}`,
    { missing: [...missing] },
  );
}
