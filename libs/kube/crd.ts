import type { ResourceDefinition } from './definition.ts';
import { apiVersionOf, type KubeObject, labels, resourceTypes } from './object.ts';
import { structuralSchemaOf } from './schema.ts';

/** The CustomResourceDefinition of a kind, made from its zod schemas: the same input gives the same output. */
export function crdOf(definition: ResourceDefinition): KubeObject {
  const { group, version, kind, plural, singular, shortNames, categories, printerColumns, scale } =
    definition;
  return {
    apiVersion: apiVersionOf(resourceTypes.customResourceDefinition),
    kind: resourceTypes.customResourceDefinition.kind,
    metadata: { name: `${plural}.${group}`, labels: { [labels.managedBy]: labels.managedByValue } },
    spec: {
      group,
      scope: 'Namespaced',
      names: {
        kind,
        listKind: `${kind}List`,
        plural,
        singular,
        shortNames,
        ...(categories === undefined ? {} : { categories }),
      },
      versions: [
        {
          name: version,
          served: true,
          storage: true,
          schema: { openAPIV3Schema: rootSchemaOf(definition) },
          subresources: { status: {}, ...(scale === undefined ? {} : { scale }) },
          additionalPrinterColumns: printerColumns,
        },
      ],
    },
  };
}

function rootSchemaOf({ description, spec, status }: ResourceDefinition): object {
  return {
    description,
    type: 'object',
    required: ['spec'],
    properties: {
      apiVersion: {
        type: 'string',
        description: 'The group and version of the API that this object is written in.',
      },
      kind: { type: 'string', description: 'The kind of this object.' },
      metadata: { type: 'object' },
      spec: structuralSchemaOf(spec),
      status: structuralSchemaOf(status),
    },
  };
}
