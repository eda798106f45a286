import fc from 'fast-check';
import type { Schema } from '../../../libs/sandbox/api/schema.ts';

/** Values that no schema of such a field allows, each kind for itself; `undefined` where there are none. */

const types: Record<string, fc.Arbitrary<unknown>> = {
  string: fc.string({ minLength: 1 }),
  integer: fc.integer(),
  number: fc.double({ noInteger: true, noNaN: true, min: -1e6, max: 1e6 }),
  boolean: fc.boolean(),
  array: fc.array(fc.integer(), { maxLength: 2 }),
  object: fc.dictionary(fc.stringMatching(/^[a-z]{1,5}$/), fc.integer(), {
    minKeys: 1,
    maxKeys: 2,
    noNullPrototype: true,
  }),
};

/** A value of another type. */
export function ofAnotherType({ type }: Schema): fc.Arbitrary<unknown> | undefined {
  if (type === undefined) return undefined;
  const others = Object.entries(types).filter(
    ([name]) => name !== type && !(type === 'number' && name === 'integer'),
  );
  return fc.oneof(...others.map(([, arbitrary]) => arbitrary));
}

/** A value of the right type that a bound, a pattern or a list of values forbids. */
export function outOfBounds(schema: Schema): fc.Arbitrary<unknown> | undefined {
  const { minimum, maximum, pattern, minLength } = schema as Record<string, unknown>;
  const beyond: fc.Arbitrary<unknown>[] = [];
  if (typeof minimum === 'number')
    beyond.push(
      fc.integer({ min: 1, max: 1000 }).map((by) => minimum - by),
      fc.constant(-(2 ** 31)),
    );
  if (typeof maximum === 'number')
    beyond.push(
      fc.integer({ min: 1, max: 1000 }).map((by) => maximum + by),
      fc.constant(2 ** 31),
    );
  if (typeof minLength === 'number' && minLength > 0) beyond.push(fc.constant(''));
  if (typeof pattern === 'string') {
    const regex = new RegExp(pattern);
    beyond.push(fc.string({ unit: 'grapheme' }).filter((text) => !regex.test(text)));
  }
  if (Array.isArray(schema['enum'])) beyond.push(fc.string({ minLength: 30 }));
  return beyond.length === 0 ? undefined : fc.oneof(...beyond);
}

/** Numbers at and beyond the edges of what Go and JavaScript can hold, as they are written. */
export const hugeNumbers = [
  '2147483648',
  '-2147483649',
  '9007199254740993',
  '9223372036854775807',
  '9223372036854775808',
  '-9223372036854775809',
  '1e19',
  '1e308',
  '1e400',
  '3.0',
  '1e0',
  '-0',
  '0.1e1',
];

/** Texts that are long, or of characters that most programs never meet. */
export const oddTexts: fc.Arbitrary<string> = fc.oneof(
  fc.constantFrom(1000, 20_000, 70_000, 300_000, 1_200_000).map((length) => 'x'.repeat(length)),
  fc.constantFrom(
    '\u0000',
    'a\u0000b',
    '\u202Eabc',
    '\uFEFF',
    'é\u0301',
    '👩‍👩‍👧‍👦',
    'İ',
    '\n',
    '\\',
    '"',
    "'",
  ),
  fc.constantFrom('$(POD_IP)', '{{.}}', '../../etc', '%s%n', '<a>', '- a: b', 'null', 'true', '1e3'),
  fc.string({ unit: 'binary', minLength: 1, maxLength: 40 }),
);

/** Names that every object in JavaScript seems to have, and some that are nearly right. */
export const unknownNames = (known: string[]): fc.Arbitrary<string> =>
  fc.oneof(
    fc.constantFrom('__proto__', 'constructor', 'toString', 'hasOwnProperty', 'then', 'length'),
    fc.stringMatching(/^[a-z][A-Za-z]{2,12}$/).filter((name) => !known.includes(name)),
    ...(known.length === 0
      ? []
      : [
          fc
            .constantFrom(...known)
            .map((name) => `${name}s`)
            .filter((name) => !known.includes(name)),
          fc
            .constantFrom(...known)
            .map(
              (name) =>
                `${name.charAt(0) === name.charAt(0).toUpperCase() ? name.charAt(0).toLowerCase() : name.charAt(0).toUpperCase()}${name.slice(1)}`,
            )
            .filter((name) => !known.includes(name)),
        ]),
  );
