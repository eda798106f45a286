import { request } from 'undici';
import { type Answer, labelsOf, type ObserveContext } from '../../../../libs/engine/contract.ts';
import { messageOf } from '../../../../libs/errors/catalogue.ts';
import { configMapType } from './resource.ts';

export interface BenchmarkFacts {
  namespace: string;
  name: string;
  /** The uid of the resource; `null` where there is none. */
  owner: string | null;
  configMaps: Answer<{ name: string; uid: string; value: string }[]>;
  /** The member and what it says; `null` where the cluster has none. */
  member: { url: string; answer: Answer<string> } | null;
}

/** In milliseconds; longer than any answer that the benchmark asks for. */
const answerTimeoutMs = 5000;

/** What any engine does: a list of each kind that it owns, and a question to each member. */
export async function observe({ key, kube, resource, signal }: ObserveContext): Promise<BenchmarkFacts> {
  const { memberUrl } = (resource?.['spec'] ?? {}) as { memberUrl?: string };
  const [configMaps, member] = await Promise.all([
    answer(async () => {
      const { items } = await kube.list(configMapType, {
        namespace: key.namespace,
        labels: labelsOf(key),
        signal,
      });
      return items
        .map(({ metadata: { name, uid = '' }, data }) => {
          const { value = '' } = (data ?? {}) as { value?: string };
          return { name, uid, value };
        })
        .sort((one, other) => (one.name < other.name ? -1 : 1));
    }),
    memberUrl === undefined
      ? null
      : answer(() => askMember(memberUrl, signal)).then((said) => ({ url: memberUrl, answer: said })),
  ]);
  const { namespace, name } = key;
  return { namespace, name, owner: resource?.metadata.uid ?? null, configMaps, member };
}

/** What the member says of itself. It is asked with as little ado as there can be: what asking costs is not measured here. */
export async function askMember(url: string, signal: AbortSignal): Promise<string> {
  const { statusCode, body } = await request(url, { signal, headersTimeout: answerTimeoutMs });
  if (statusCode !== 200) throw new Error(`the member answers ${statusCode}`);
  return await body.text();
}

async function answer<Value>(ask: () => Promise<Value>): Promise<Answer<Value>> {
  try {
    return { ok: true, value: await ask() };
  } catch (error) {
    return { ok: false, error: messageOf(error) };
  }
}
