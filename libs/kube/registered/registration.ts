import { isError, QuorateError } from '../../errors/catalogue.ts';
import { kubeIdPattern } from '../../service/config.ts';
import type { KubeObject } from '../object.ts';
import { checkPortable } from './portable.ts';

/** The label of a Secret that registers a Kubernetes cluster, with its id as the value. */
export const registrationLabel = 'quorate.io/kube';
const kubeconfigKey = 'kubeconfig';

/** A Kubernetes cluster to look after beside the one we run in. */
export interface Registration {
  id: string;
  kubeconfig: string;
}

/** A Secret that registers nothing, and why. */
export interface Refusal {
  secret: KubeObject;
  error: QuorateError;
}

export interface Registrations {
  registered: Map<string, Registration>;
  refused: Refusal[];
}

/**
 * What the Secrets register. Of two with one id the older one counts, so that a new mistake takes nothing away from
 * what works. Pure.
 */
export function registrationsOf(secrets: readonly KubeObject[], homeId: string): Registrations {
  const registered = new Map<string, Registration>();
  const owners = new Map<string, string>([[homeId, 'the Kubernetes cluster that Quorate runs in']]);
  const refused: Refusal[] = [];
  for (const secret of [...secrets].sort(byAge)) {
    try {
      const registration = read(secret);
      const owner = owners.get(registration.id);
      if (owner !== undefined)
        throw new QuorateError('KUBE_REGISTRATION', `the id ${registration.id} is taken by ${owner}`);
      registered.set(registration.id, registration);
      owners.set(registration.id, `the Secret ${secret.metadata.name}`);
    } catch (error) {
      if (!isError(error, 'KUBE_REGISTRATION')) throw error;
      refused.push({ secret, error });
    }
  }
  return { registered, refused };
}

function byAge({ metadata: one }: KubeObject, { metadata: other }: KubeObject): number {
  const [a, b] = [one, other].map(({ creationTimestamp = '', name }) => `${creationTimestamp} ${name}`);
  return (a ?? '') < (b ?? '') ? -1 : 1;
}

function read({ metadata, data }: KubeObject): Registration {
  const id = metadata.labels?.[registrationLabel] ?? '';
  if (!kubeIdPattern.test(id)) {
    const detail = `the label ${registrationLabel} is no id: use lower-case letters, digits and dashes`;
    throw new QuorateError('KUBE_REGISTRATION', detail);
  }
  const encoded = (data as Record<string, unknown> | undefined)?.[kubeconfigKey];
  const kubeconfig = typeof encoded === 'string' ? Buffer.from(encoded, 'base64').toString('utf8') : '';
  if (kubeconfig.trim() === '')
    throw new QuorateError('KUBE_REGISTRATION', `the key ${kubeconfigKey} is missing or empty`);
  checkPortable(kubeconfig);
  return { id, kubeconfig };
}
