import { messageOf } from '../../../errors/catalogue.ts';
import type { KubeObject } from '../../../kube/object.ts';
import type { StatusCause } from '../../status.ts';
import { isObject, listOf, objectOf, textOf, valueAt } from '../json.ts';
import { missing, wrong } from '../metadata.ts';
import type { Schema } from '../schema.ts';
import { compileSchema } from '../validation.ts';
import type { KindRules } from './rules.ts';

export const definitionFinalizer = 'customresourcecleanup.apiextensions.k8s.io';

/** CustomResourceDefinitions: the names that follow from the kind, and the rules on names and versions. */
export const definitionRules: KindRules = {
  prepare: (definition) => {
    const spec = objectOf(definition['spec']);
    const names = objectOf(spec['names']);
    const kind = textOf(names['kind']) ?? '';
    const defaults = { singular: kind.toLowerCase(), listKind: `${kind}List` };
    return {
      ...definition,
      spec: { conversion: { strategy: 'None' }, ...spec, names: { ...defaults, ...names } },
    };
  },
  validate,
  onCreate: (definition) => {
    const finalizers = [...new Set([...(definition.metadata.finalizers ?? []), definitionFinalizer])];
    return { ...definition, metadata: { ...definition.metadata, finalizers }, status: {} };
  },
};

function validate(definition: KubeObject): StatusCause[] {
  const spec = objectOf(definition['spec']);
  const { plural, kind } = objectOf(spec['names']);
  const versions = listOf(spec['versions']).map(objectOf);
  const found: StatusCause[] = [];
  if (!spec['group']) found.push(missing('spec.group'));
  if (!plural) found.push(missing('spec.names.plural'));
  if (!kind) found.push(missing('spec.names.kind'));
  const name = `${plural}.${spec['group']}`;
  if (definition.metadata.name !== name) {
    found.push(wrong('metadata.name', definition.metadata.name, `must be spec.names.plural+"."+spec.group`));
  }
  if (spec['scope'] !== 'Namespaced' && spec['scope'] !== 'Cluster') found.push(missing('spec.scope'));
  if (versions.filter((version) => version['storage'] === true).length !== 1) {
    const why = 'must have exactly one version marked as storage version';
    found.push(
      wrong(
        'spec.versions',
        versions.map((version) => version['name']),
        why,
      ),
    );
  }
  for (const [index, version] of versions.entries()) {
    const at = `spec.versions[${index}]`;
    if (!version['name']) found.push(missing(`${at}.name`));
    const schema = valueAt(version, 'schema', 'openAPIV3Schema');
    const field = `${at}.schema.openAPIV3Schema`;
    if (isObject(schema)) found.push(...checkSchema(field, schema));
    else found.push(missing(field, 'schemas are required'));
  }
  return found;
}

/** A schema that cannot be compiled would leave nothing to judge the resources by. */
function checkSchema(field: string, schema: Schema): StatusCause[] {
  if (schema.type !== 'object')
    return [wrong(`${field}.type`, schema.type ?? '', 'must be object at the root')];
  try {
    compileSchema(schema);
    return [];
  } catch (error) {
    return [wrong(field, 'object', messageOf(error))];
  }
}
