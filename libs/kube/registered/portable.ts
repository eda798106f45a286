import { z } from 'zod';
import { messageOf, QuorateError } from '../../errors/catalogue.ts';
import { kubeconfigCredentials, parseKubeconfig } from '../kubeconfig.ts';

const data = z.string().optional();

/** All that a kubeconfig may say here: neither a program to run nor a file to read, for both would be ours. */
const portable = z.looseObject({
  clusters: z.array(
    z.object({
      name: z.string(),
      cluster: z.strictObject({
        server: z.url({ protocol: /^https?$/ }),
        'certificate-authority-data': data,
        'tls-server-name': data,
        'insecure-skip-tls-verify': z.boolean().optional(),
        'proxy-url': data,
        extensions: z.unknown().optional(),
      }),
    }),
  ),
  users: z.array(
    z.object({
      name: z.string(),
      user: z.strictObject({
        token: data,
        'client-certificate-data': data,
        'client-key-data': data,
        username: data,
        password: data,
        extensions: z.unknown().optional(),
      }),
    }),
  ),
});

/**
 * Checks that a kubeconfig holds all that it needs, as text: a program that gives credentials (`exec`), an
 * `auth-provider` and paths of files would act with the rights of our own pods, and are refused. Throws
 * KUBE_REGISTRATION, which names the field and never shows a value.
 */
export function checkPortable(kubeconfig: string): void {
  try {
    const read = portable.safeParse(parseKubeconfig(kubeconfig));
    if (!read.success)
      throw new QuorateError('KUBE_REGISTRATION', read.error.issues.map(described).join('; '));
    kubeconfigCredentials({ text: kubeconfig });
  } catch (error) {
    if (error instanceof QuorateError && error.code === 'KUBE_REGISTRATION') throw error;
    throw new QuorateError('KUBE_REGISTRATION', messageOf(error), {}, error);
  }
}

function described(issue: z.core.$ZodIssue): string {
  const at = `kubeconfig: ${issue.path.join('.')}`;
  return issue.code === 'unrecognized_keys'
    ? `${at}: ${issue.keys.join(', ')} is refused, since a registered kubeconfig holds its credentials itself`
    : `${at}: ${issue.message}`;
}
