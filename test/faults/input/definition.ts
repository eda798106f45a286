import { globSync, readFileSync } from 'node:fs';
import { parse } from 'yaml';
import type { Schema } from '../../../libs/sandbox/api/schema.ts';

/** What a generator needs of a CustomResourceDefinition. */
export interface Definition {
  group: string;
  version: string;
  kind: string;
  plural: string;
  /** The schema of `spec`. */
  spec: Schema;
}

/** The definitions that Quorate brings, as they are installed. */
export function readDefinitions(): Definition[] {
  return globSync('deploy/crds/*.yaml').sort().map(readDefinition);
}

interface DefinitionFile {
  spec: {
    group: string;
    names: { kind: string; plural: string };
    versions: { name: string; storage: boolean; schema: { openAPIV3Schema: Schema } }[];
  };
}

function readDefinition(path: string): Definition {
  const { spec } = parse(readFileSync(path, 'utf8')) as DefinitionFile;
  const version = spec.versions.find(({ storage }) => storage);
  const schema = version?.schema.openAPIV3Schema.properties?.['spec'];
  if (!version || !schema) throw new Error(`${path} has no schema of a spec`);
  const { kind, plural } = spec.names;
  return { group: spec.group, version: version.name, kind, plural, spec: schema };
}

export type Path = (string | number)[];

/** A place in a resource, what the schema says of it, and whether it must be there. */
export interface Site {
  path: Path;
  schema: Schema;
  required: boolean;
}

/** Every place that the schema names, an entry of each map and list included. */
export function sitesOf(schema: Schema, path: Path, required = true): Site[] {
  const inner = Object.entries(schema.properties ?? {}).flatMap(([name, property]) =>
    sitesOf(property, [...path, name], schema.required?.includes(name) === true),
  );
  const { additionalProperties, items } = schema;
  const entries =
    typeof additionalProperties === 'object' ? sitesOf(additionalProperties, [...path, 'entry'], false) : [];
  const elements = items === undefined ? [] : sitesOf(items, [...path, 0], false);
  return [{ path, schema, required }, ...inner, ...entries, ...elements];
}

/** `spec.pod.etcdEnv[0].name`, as the API server writes it. */
export const pathText = (path: Path): string =>
  path.reduce<string>(
    (text, part) => (typeof part === 'number' ? `${text}[${part}]` : text === '' ? part : `${text}.${part}`),
    '',
  );
