import type { KubeObject } from '../../kube/object.ts';
import { isObject, listOf, objectOf, textOf } from './json.ts';
import { modelSchema } from './models.ts';
import type { PrinterColumn, Resource, ScalePaths } from './resource.ts';
import type { Schema } from './schema.ts';
import { compileSchema } from './validation.ts';

/** The resources of a CustomResourceDefinition: one for each version that it serves. */
export function customResources(definition: KubeObject): Resource[] {
  const spec = objectOf(definition['spec']);
  const names = objectOf(spec['names']);
  const versions = listOf(spec['versions']).map(objectOf);
  const storage = versions.find((version) => version['storage'] === true);
  return versions
    .filter((version) => version['served'] === true)
    .map((version) => {
      const subresources = objectOf(version['subresources']);
      const given = objectOf(objectOf(version['schema'])['openAPIV3Schema']) as Schema;
      const columns = listOf(version['additionalPrinterColumns']) as PrinterColumn[];
      return {
        type: {
          group: String(spec['group']),
          version: String(version['name']),
          kind: String(names['kind']),
          plural: String(names['plural']),
          namespaced: spec['scope'] === 'Namespaced',
        },
        storageVersion: String(storage?.['name']),
        builtin: false,
        singular: String(names['singular']),
        listKind: String(names['listKind']),
        shortNames: texts(names['shortNames']),
        categories: texts(names['categories']),
        schema: withTypeFields(given),
        validate: compileSchema({ ...given, type: 'object' }),
        statusSubresource: isObject(subresources['status']),
        ...(isObject(subresources['scale']) ? { scale: subresources['scale'] as unknown as ScalePaths } : {}),
        ...(columns.length > 0 ? { columns } : {}),
        rules: {},
      };
    });
}

const texts = (value: unknown): string[] =>
  listOf(value)
    .map(textOf)
    .filter((text) => text !== undefined);

/** Every object has these three, whether its schema says so or not. */
function withTypeFields(schema: Schema): Schema {
  const properties: Record<string, Schema> = {
    apiVersion: {
      type: 'string',
      description: 'The group and version of this representation of the object.',
    },
    kind: { type: 'string', description: 'The kind of the object.' },
    ...schema.properties,
    metadata: modelSchema('V1ObjectMeta'),
  };
  return { ...schema, type: 'object', properties };
}
