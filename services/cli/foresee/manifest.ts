import { readFile } from 'node:fs/promises';
import { text } from 'node:stream/consumers';
import { parseAllDocuments } from 'yaml';
import type { Engine } from '../../../libs/engine/contract.ts';
import { messageOf, QuorateError } from '../../../libs/errors/catalogue.ts';
import type { ClusterKey } from '../../../libs/kube/key.ts';
import type { KubeObject } from '../../../libs/kube/object.ts';

/** A custom resource as a person has written it, and whose it is. */
export interface Manifest {
  engine: Engine;
  key: ClusterKey;
  object: KubeObject;
}

/**
 * The custom resources of these engines in a file of YAML or JSON, `-` for standard input; other kinds are passed
 * over. Throws MANIFEST_INVALID where it cannot be read or holds none.
 */
export async function readManifests(
  file: string,
  namespace: string,
  engines: readonly Engine[],
): Promise<Manifest[]> {
  const written = await readText(file);
  const documents = parseAllDocuments(written);
  const [problem] = documents.flatMap((document) => document.errors);
  if (problem) throw new QuorateError('MANIFEST_INVALID', `${file}: ${problem.message}`);
  const objects = documents.map((document) => document.toJS() as unknown).flatMap(itemsOf);
  const manifests = objects.flatMap((object) => manifestOf(object, namespace, engines));
  if (manifests.length > 0) return manifests;
  const kinds = engines.map(({ resource }) => `${resource.kind} of ${resource.group}/${resource.version}`);
  throw new QuorateError('MANIFEST_INVALID', `${file}: it holds no ${kinds.join(' and no ')} with a name`);
}

async function readText(file: string): Promise<string> {
  try {
    return await (file === '-' ? text(process.stdin) : readFile(file, 'utf8'));
  } catch (error) {
    throw new QuorateError('MANIFEST_INVALID', messageOf(error));
  }
}

const itemsOf = (object: unknown): unknown[] => {
  const { kind, items } = (object ?? {}) as { kind?: unknown; items?: unknown };
  return kind === 'List' && Array.isArray(items) ? items : [object];
};

function manifestOf(object: unknown, presentNamespace: string, engines: readonly Engine[]): Manifest[] {
  const { apiVersion, kind, metadata } = (object ?? {}) as Partial<KubeObject>;
  const engine = engines.find(
    ({ resource }) => resource.kind === kind && `${resource.group}/${resource.version}` === apiVersion,
  );
  if (!engine || typeof metadata?.name !== 'string') return [];
  const namespace = metadata.namespace ?? presentNamespace;
  return [
    { engine, key: { engine: engine.name, namespace, name: metadata.name }, object: object as KubeObject },
  ];
}
