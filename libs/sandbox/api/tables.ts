import type { KubeObject } from '../../kube/object.ts';
import { apiVersionOf } from '../../kube/object.ts';
import { type Column, columnsOf } from './columns.ts';
import type { Page } from './listing.ts';
import type { ResourceRequest } from './request.ts';

type Form = 'object' | 'table' | 'metadata';

/** The form that the client asks for first in its Accept header. */
export function formOf(accept: string): Form {
  const [first = ''] = accept.split(',');
  if (/as=Table/.test(first)) return 'table';
  return /as=PartialObjectMetadata/.test(first) ? 'metadata' : 'object';
}

/** How a single object goes over the wire to this client: as it is, as a Table of one row, or its metadata. */
export function encoderOf(request: ResourceRequest): (object: KubeObject) => object {
  switch (formOf(request.accept)) {
    case 'table': {
      const columns = columnsOf(request.resource);
      return (object) =>
        table(request, columns, [object], { resourceVersion: object.metadata.resourceVersion });
    }
    case 'metadata':
      return metadataOnly;
    default:
      return (object) => object;
  }
}

/** A page of a list in the form that the client asked for. */
export function encodePage(request: ResourceRequest, page: Page): object {
  const { items, ...metadata } = page;
  const form = formOf(request.accept);
  if (form === 'table') return table(request, columnsOf(request.resource), items, metadata);
  const { resource } = request;
  if (form === 'metadata') {
    const kind = 'PartialObjectMetadataList';
    return { kind, apiVersion: 'meta.k8s.io/v1', metadata, items: items.map(metadataOnly) };
  }
  return { kind: resource.listKind, apiVersion: apiVersionOf(resource.type), metadata, items };
}

function metadataOnly({ metadata }: KubeObject): object {
  return { kind: 'PartialObjectMetadata', apiVersion: 'meta.k8s.io/v1', metadata };
}

function table(request: ResourceRequest, columns: Column[], objects: KubeObject[], metadata: object): object {
  const now = new Date();
  const include = request.query.get('includeObject') ?? 'Metadata';
  return {
    kind: 'Table',
    apiVersion: 'meta.k8s.io/v1',
    metadata,
    columnDefinitions: columns.map(({ name, type, priority, description = '' }) => ({
      name,
      type,
      format: name === 'Name' ? 'name' : '',
      description,
      priority,
    })),
    rows: objects.map((object) => ({
      cells: columns.map((column) => column.cell(object, now) ?? null),
      ...(include === 'None' ? {} : { object: include === 'Object' ? object : metadataOnly(object) }),
    })),
  };
}
