import { spawn } from 'node:child_process';
import { machine } from './find.ts';

/** How this user may run a command as root without being asked for anything; `undefined` where not at all. */
export type Privilege = readonly string[] | undefined;

/** The command prefix that makes root of us: none for root itself, `sudo -n` where sudo lets us without a password. */
export async function findPrivilege(): Promise<Privilege> {
  if (process.getuid?.() === 0) return [];
  return (await run(['sudo', '-n', 'true'], 'ignore')) === 0 ? ['sudo', '-n'] : undefined;
}

/** Whether packages come from apt on this machine. */
export function hasApt(): boolean {
  return machine.isProgram('/usr/bin/apt-get');
}

/**
 * Installs Debian packages with one call of apt-get. None of the services that the packages bring is started, now or
 * at the next boot: Quorate starts its own, and nothing else on the machine may be touched. What apt-get says goes to
 * stderr. Returns apt-get's exit code.
 */
export function installPackages(packages: readonly string[], privilege: readonly string[]): Promise<number> {
  return run([...privilege, '/bin/sh', '-c', installScript, 'quorate-install', ...packages], 'inherit');
}

/**
 * Runs as root as a whole, so that what it sets up it also takes away, however it ends. invoke-rc.d asks
 * /usr/sbin/policy-rc.d before it starts a service, and 101 forbids it (invoke-rc.d(8)); an administrator's own policy
 * is left as it is. Under systemd, packages enable their units for the next boot, policy or not.
 */
const installScript = `
set -u
export DEBIAN_FRONTEND=noninteractive
policy=/usr/sbin/policy-rc.d
if (set -C; printf '#!/bin/sh\\nexit 101\\n' > "$policy") 2>/dev/null; then
  trap 'rm -f "$policy"' EXIT
  trap 'exit 130' INT TERM HUP
  chmod 755 "$policy"
fi

fresh=
for package in "$@"; do
  dpkg-query --show --showformat='\${db:Status-Status}' "$package" 2>/dev/null | grep -qx installed ||
    fresh="$fresh $package"
done

update() { apt-get --option DPkg::Lock::Timeout=120 --quiet update; }
install() { apt-get --option DPkg::Lock::Timeout=120 --quiet --yes --no-install-recommends install "$@"; }

if apt-cache show "$@" >/dev/null 2>&1; then
  # The lists may be so old that the mirror no longer has what they name.
  install "$@" || { update && install "$@"; }
else
  update && install "$@"
fi
result=$?

if [ -d /run/systemd/system ]; then
  for package in $fresh; do
    for unit in $(dpkg --listfiles "$package" 2>/dev/null | sed -n 's|^.*/systemd/system/\\([^/@]*\\.service\\)$|\\1|p'); do
      systemctl disable --now "$unit" >/dev/null 2>&1
    done
  done
fi
exit $result
`;

function run(command: readonly string[], output: 'ignore' | 'inherit'): Promise<number> {
  const [program = '', ...parameters] = command;
  return new Promise((resolve) => {
    // Apt's output goes to stderr: stdout is for what scripts read from us.
    const child = spawn(program, parameters, {
      stdio: output === 'ignore' ? 'ignore' : ['ignore', process.stderr, process.stderr],
    });
    // 127 is what a shell says of a program that is not there.
    child.once('error', () => resolve(127));
    child.once('exit', (code) => resolve(code ?? 1));
  });
}
