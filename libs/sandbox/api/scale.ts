import type { KubeObject } from '../../kube/object.ts';
import { invalid, notFound } from '../status.ts';
import type { ApiContext } from './context.ts';
import { type JsonObject, objectOf, textOf, valueAt, withValueAt } from './json.ts';
import { wrong } from './metadata.ts';
import { applyPatch } from './patch.ts';
import { objectBody, type ResourceRequest } from './request.ts';
import type { ScalePaths } from './resource.ts';
import { existing, replaceObject } from './write.ts';

/** The scale subresource of a custom resource: reads and writes the one field that says how many. */
export function scaleObject(context: ApiContext, request: ResourceRequest): object {
  const { resource, method } = request;
  if (!resource.scale) throw notFound(resource.type, request.name ?? '');
  const object = existing(context, request);
  const scale = scaleOf(object, resource.scale);
  if (method === 'GET') return scale;
  const given =
    method === 'PUT' ? objectBody(request) : applyPatch({ ...scale }, request.mediaType, request.body, {});
  const replicas = valueAt(given, 'spec', 'replicas') ?? 0;
  if (!Number.isInteger(replicas) || Number(replicas) < 0) {
    const cause = wrong('spec.replicas', replicas, 'must be greater than or equal to 0');
    throw invalid({ group: 'autoscaling', kind: 'Scale' }, object.metadata.name, [cause]);
  }
  const version = textOf(valueAt(given, 'metadata', 'resourceVersion'));
  const path = pathOf(resource.scale.specReplicasPath);
  const changed = withValueAt({ ...object }, path, replicas);
  const metadata = { ...objectOf(changed['metadata']), ...(version ? { resourceVersion: version } : {}) };
  const main = { ...request, subresource: undefined };
  const written = replaceObject(context, main, { ...changed, metadata });
  return scaleOf(written.object, resource.scale);
}

function scaleOf(object: KubeObject, paths: ScalePaths): JsonObject {
  const { name, namespace, uid, resourceVersion, creationTimestamp } = object.metadata;
  const selector = paths.labelSelectorPath
    ? textOf(valueAt(object, ...pathOf(paths.labelSelectorPath)))
    : undefined;
  return {
    kind: 'Scale',
    apiVersion: 'autoscaling/v1',
    metadata: { name, ...(namespace ? { namespace } : {}), uid, resourceVersion, creationTimestamp },
    spec: { replicas: Number(valueAt(object, ...pathOf(paths.specReplicasPath)) ?? 0) },
    status: {
      replicas: Number(valueAt(object, ...pathOf(paths.statusReplicasPath)) ?? 0),
      ...(selector === undefined ? {} : { selector }),
    },
  };
}

/** `.spec.size` → `['spec', 'size']` */
function pathOf(jsonPath: string): string[] {
  return jsonPath.split('.').filter((part) => part !== '');
}
