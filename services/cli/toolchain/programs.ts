/** The programs that Quorate starts, the variable that can name each, and the Debian package that brings it. */
export const programs = {
  natsServer: { command: 'nats-server', variable: 'NATS_SERVER', debianPackage: 'nats-server' },
  redisServer: { command: 'redis-server', variable: 'REDIS_SERVER', debianPackage: 'redis-server' },
  etcd: { command: 'etcd', variable: 'ETCD', debianPackage: 'etcd-server' },
  etcdctl: { command: 'etcdctl', variable: 'ETCDCTL', debianPackage: 'etcd-client' },
  bwrap: { command: 'bwrap', variable: 'BWRAP', debianPackage: 'bubblewrap' },
  // Debian's kubectl (kubernetes-client) may be years older than what is needed here; npm brings a new one.
  kubectl: { command: 'kubectl', variable: 'KUBECTL', debianPackage: undefined },
  // Nothing but the manifests and the tests needs helm.
  helm: { command: 'helm', variable: 'HELM', debianPackage: undefined },
} as const satisfies Record<string, { command: string; variable: string; debianPackage: string | undefined }>;

export type ProgramName = keyof typeof programs;

/** Absolute paths of programs that were found. */
export type ProgramPaths = Partial<Record<ProgramName, string>>;

/** What has to be at hand, given what already runs elsewhere. */
export function programsNeeded(given: { kube: boolean; nats: boolean; redis: boolean }): ProgramName[] {
  const needed: ProgramName[] = [];
  if (!given.nats) needed.push('natsServer');
  if (!given.redis) needed.push('redisServer');
  if (!given.kube) needed.push('etcd', 'etcdctl', 'bwrap');
  needed.push('kubectl');
  return needed;
}

/** The settings by which a child process finds the same programs. */
export function programVariables(paths: ProgramPaths): Record<string, string> {
  const variables: Record<string, string> = {};
  for (const name of Object.keys(programs) as ProgramName[]) {
    const path = paths[name];
    if (path !== undefined) variables[programs[name].variable] = path;
  }
  return variables;
}

const notInDebian: Record<string, string> = {
  kubectl: 'kubectl 1.29 or later from kubernetes.io',
  helm: 'helm 3.14 or later from helm.sh',
};

/** One list of everything that is missing and how to get it, for the person at the keyboard. */
export function describeMissing(missing: readonly ProgramName[]): string {
  const width = Math.max(...missing.map((name) => programs[name].command.length));
  const lines = missing.map((name) => {
    const { command, variable, debianPackage } = programs[name];
    const source =
      debianPackage === undefined ? (notInDebian[command] ?? command) : `Debian package ${debianPackage}`;
    return `  ${command.padEnd(width)}  ${source}, or its path in ${variable}`;
  });
  const packages = missing.flatMap((name) => programs[name].debianPackage ?? []);
  if (packages.length > 0) lines.push(`All at once: sudo apt-get install ${packages.join(' ')}`);
  return lines.join('\n');
}
