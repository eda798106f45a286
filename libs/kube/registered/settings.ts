import type { Settings } from '../../service/config.ts';
import { connectKube } from '../client.ts';
import type { ServeOptions } from './serve.ts';

/** The kubes that the settings speak of: the one at home, and how to reach those that are registered there. */
export function kubesOf(config: Settings): Pick<ServeOptions, 'home' | 'namespace' | 'present' | 'connect'> {
  const common = {
    namespaces: config.QUORATE_NAMESPACES,
    rateLimit: { perSecond: config.QUORATE_KUBE_REQUESTS_PER_SECOND, burst: config.QUORATE_KUBE_BURST },
  };
  return {
    home: connectKube({ id: config.QUORATE_KUBE, ...common }),
    namespace: config.QUORATE_KUBES_NAMESPACE,
    present: new Map(),
    connect: ({ id, kubeconfig }) => connectKube({ id, kubeconfig, ...common }),
  };
}
