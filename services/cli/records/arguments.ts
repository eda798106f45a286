import { InvalidArgumentError } from 'commander';
import { engines } from '../../../libs/engines/index.ts';
import { type ClusterKey, parseKey } from '../../../libs/kube/key.ts';
import { presentNamespace } from '../../../libs/kube/kubeconfig.ts';

const unitMs: Record<string, number> = { s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/** `1h`, `90m`, `2d`, or a time in ISO 8601, as commander's parsers go: throws InvalidArgumentError. */
export function parseSince(text: string, nowMs: number): Date {
  const [, amount, unit = ''] = /^(\d+)([smhd])$/.exec(text) ?? [];
  const time = amount === undefined ? new Date(text) : new Date(nowMs - Number(amount) * (unitMs[unit] ?? 0));
  if (Number.isNaN(time.getTime()))
    throw new InvalidArgumentError('Use e.g. 30s, 10m, 1h, 2d, or 2026-01-31T12:00:00Z.');
  return time;
}

/**
 * The key of a cluster from what a person typed: `etcd/default/name`; `etcd/name` in the namespace given, or else in
 * the present one; or `name`, while there is but one engine it can be of. `undefined` where it is none of these.
 */
export function keyFrom(text: string, namespace: string | undefined): ClusterKey | undefined {
  const [first = '', second, ...rest] = text.split('/');
  if (rest.length > 0) return parseKey(text);
  const within = namespaceFrom(namespace);
  if (second !== undefined) return parseKey(`${first}/${within}/${second}`);
  const [engine, ...others] = engines.map(({ name }) => name);
  return engine === undefined || others.length > 0 ? undefined : parseKey(`${engine}/${within}/${first}`);
}

/** The namespace given, or else the one that kubectl takes where KUBECONFIG is set. */
export function namespaceFrom(given: string | undefined): string {
  return given ?? (process.env['KUBECONFIG'] ? presentNamespace() : 'default');
}

/** The kube that a command asks about: what `--kube` says, or else what the services take it from. */
export function kubeFrom(given: string | undefined): string {
  return given ?? (process.env['QUORATE_KUBE'] || 'local');
}
