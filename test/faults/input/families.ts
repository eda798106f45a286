import fc from 'fast-check';
import { hugeNumbers, oddTexts, ofAnotherType, outOfBounds, unknownNames } from './bad.ts';
import { type Definition, type Site, sitesOf } from './definition.ts';
import { type Edit, Raw } from './edit.ts';
import { plausible } from './plausible.ts';

/** What must become of an edit: `either` where only a cluster can tell, or where it depends on the way it is sent. */
export type Expected = 'refused' | 'accepted' | 'either';

/** Edits of one kind, made from the schema alone. */
export interface Family {
  name: string;
  weight: number;
  expected: Expected;
  edit: fc.Arbitrary<Edit>;
}

/** Every kind of edit of `spec` that the schema gives rise to; `present` is the spec that is edited. */
export function familiesOf(definition: Definition, present: object): Family[] {
  const sites = sitesOf(definition.spec, ['spec']);
  const fields = sites.filter(({ path }) => path.length > 1);
  const family = (
    name: string,
    weight: number,
    expected: Expected,
    edits: (fc.Arbitrary<Edit> | undefined)[],
  ): Family[] => {
    const possible = edits.filter((edit) => edit !== undefined);
    return possible.length === 0 ? [] : [{ name, weight, expected, edit: fc.oneof(...possible) }];
  };
  return [
    ...family(
      'valid',
      22,
      'accepted',
      fields.filter(({ path }) => typeof path.at(-1) === 'string').map((site) => validAt(site, present)),
    ),
    ...family(
      'removed',
      3,
      'accepted',
      fields
        .filter(({ path, required }) => !required && typeof path.at(-1) === 'string')
        .map(({ path }) => fc.constant({ path })),
    ),
    ...family(
      'type',
      16,
      'refused',
      sites.map((site) => valueAt(site, ofAnotherType(site.schema))),
    ),
    ...family(
      'bounds',
      10,
      'refused',
      sites.map((site) => valueAt(site, outOfBounds(site.schema))),
    ),
    ...family(
      'missing',
      3,
      'refused',
      sites.filter(({ required }) => required).map(({ path }) => fc.constant({ path })),
    ),
    ...family(
      'null',
      7,
      'either',
      sites.map((site) => valueAt(site, fc.constant(null))),
    ),
    ...family(
      'unknown field',
      8,
      'either',
      sites.filter(({ schema }) => schema.properties && !isFree(schema)).map(unknownAt),
    ),
    ...family(
      'odd text',
      8,
      'either',
      sites.filter(({ schema }) => schema.type === 'string').map((site) => valueAt(site, oddTexts)),
    ),
    ...family('odd key', 4, 'either', sites.filter(isOpen).map(oddKeyAt)),
    ...family(
      'huge number',
      5,
      'either',
      sites
        .filter(({ schema }) => schema.type === 'integer' || isOpen({ schema }))
        .map((site) => (site.schema.type === 'integer' ? valueAt(site, rawNumber) : openAt(site, rawNumber))),
    ),
    ...family(
      'nesting',
      3,
      'either',
      sites.filter(isOpen).map((site) => openAt(site, nested)),
    ),
  ];
}

const valueAt = ({ path }: Site, values: fc.Arbitrary<unknown> | undefined) =>
  values?.map((value): Edit => ({ path, value }));

const validAt = (site: Site, present: object) => {
  const name = String(site.path.findLast((part) => typeof part === 'string'));
  return valueAt(site, plausible(name, site.schema, valueIn(present, site.path.slice(1))));
};

const valueIn = (document: unknown, path: Site['path']): unknown =>
  path.reduce<unknown>((at, part) => (at as Record<string, unknown> | undefined)?.[part], document);

const unknownAt = ({ path, schema }: Site): fc.Arbitrary<Edit> =>
  fc
    .tuple(unknownNames(Object.keys(schema.properties ?? {})), fc.jsonValue({ maxDepth: 2 }))
    .map(([name, value]): Edit => ({ path: [...path, name], value: value ?? 'null' }));

/** Whether the schema lets any field into such an object. */
const isFree = (schema: Site['schema']): boolean => schema['x-kubernetes-preserve-unknown-fields'] === true;

const isOpen = ({ schema }: Pick<Site, 'schema'>): boolean =>
  isFree(schema) || typeof schema.additionalProperties === 'object';

const oddKeyAt = ({ path }: Site): fc.Arbitrary<Edit> =>
  fc
    .tuple(
      fc.oneof(oddTexts, fc.constantFrom('', '/', 'a/b/c', '__proto__', 'constructor', '-x', 'X.y/Z')),
      fc.constant('x'),
    )
    .map(([name, value]): Edit => ({ path: [...path, name], value }));

const openAt = ({ path }: Site, values: fc.Arbitrary<unknown>): fc.Arbitrary<Edit> =>
  values.map((value): Edit => ({ path: [...path, 'entry'], value }));

const rawNumber = fc.constantFrom(...hugeNumbers).map((json) => new Raw(json));

const nested = fc
  .tuple(fc.constantFrom(20, 300, 2000, 9000, 30_000), fc.boolean())
  .map(
    ([depth, isList]) =>
      new Raw(
        isList ? '['.repeat(depth) + ']'.repeat(depth) : `${'{"a":'.repeat(depth)}1${'}'.repeat(depth)}`,
      ),
  );
