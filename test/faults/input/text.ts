import fc from 'fast-check';

/** Texts that are no resource, or only nearly: what a proxy, an editor or a program makes of a good one. */

/** A change of the text of a request, and whether what is left can still be one. */
export interface TextEdit {
  what: string;
  change: (json: string) => string;
  expected: 'refused' | 'either';
}

/** The first member of an object once more, under the same name, with this value. */
const doubled = (field: string, value: string) => (json: string) =>
  json.replace(`"${field}":`, `"${field}":${value},"${field}":`);

const changes: TextEdit[] = [
  { what: 'size twice', change: doubled('size', '5'), expected: 'either' },
  { what: 'version twice', change: doubled('version', '"9.9.9"'), expected: 'either' },
  { what: 'spec twice', change: doubled('spec', '{"size":7}'), expected: 'either' },
  { what: 'name twice', change: doubled('name', '"other"'), expected: 'either' },
  { what: 'kind twice', change: doubled('kind', '"Pod"'), expected: 'either' },
  { what: 'the end missing', change: (json) => json.slice(0, -3), expected: 'refused' },
  { what: 'half of it', change: (json) => json.slice(0, json.length / 2), expected: 'refused' },
  { what: 'more behind it', change: (json) => `${json}}`, expected: 'refused' },
  { what: 'two of them', change: (json) => `${json}\n${json}`, expected: 'refused' },
  { what: 'a comma too many', change: (json) => json.replace('}', ',}'), expected: 'refused' },
  { what: 'a comment', change: (json) => json.replace('{', '{/* mine */'), expected: 'refused' },
  { what: 'NaN', change: (json) => json.replace(/"size":\d/, '"size":NaN'), expected: 'refused' },
  {
    what: 'a number with a zero in front',
    change: (json) => json.replace(/"size":/, '"size":0'),
    expected: 'refused',
  },
  {
    what: 'a raw control character',
    change: (json) => json.replace('"3.', '"\u0001 3.'),
    expected: 'refused',
  },
  { what: 'in a list', change: (json) => `[${json}]`, expected: 'refused' },
  { what: 'a text', change: (json) => JSON.stringify(json), expected: 'refused' },
  { what: 'null', change: () => 'null', expected: 'refused' },
  { what: 'a number', change: () => '7', expected: 'refused' },
  { what: 'nothing', change: () => '', expected: 'refused' },
  { what: 'HTML', change: () => '<html><body>502 Bad Gateway</body></html>', expected: 'refused' },
  {
    what: 'too large',
    change: (json) => json.replace('{', `{"x":"${'x'.repeat(3_500_000)}",`),
    expected: 'refused',
  },
];

export const textEdits: fc.Arbitrary<TextEdit> = fc.constantFrom(...changes);
