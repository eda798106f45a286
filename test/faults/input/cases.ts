import fc from 'fast-check';
import { type Definition, type Path, pathText } from './definition.ts';
import { type Edit, edited, mergePatchOf, write } from './edit.ts';
import { annotationEdits, metadataEdits } from './envelope.ts';
import { type Expected, familiesOf } from './families.ts';
import { type TextEdit, textEdits } from './text.ts';

/** How a request is made: as `kubectl apply --server-side`, `replace` or `apply` (and `patch`) would make it. */
export type Verb = 'apply' | 'replace' | 'merge';

/** One bad, or only odd, edit of a resource. The same seed, number and schema always give the same case. */
export interface Case {
  number: number;
  family: string;
  verb: Verb;
  /** Whether unknown and doubled fields are refused, as kubectl asks for, or only warned of. */
  validation: 'Strict' | 'Warn';
  expected: Expected;
  edits: Edit[];
  textEdit?: TextEdit;
}

/** Makes cases by their numbers. `present` is the spec that is edited. */
export function caseMaker(definition: Definition, present: object, seed: number): (number: number) => Case {
  const any = anyCase(definition, present);
  return (number) => {
    const [found] = fc.sample(any, { seed: seed + number * 7919, numRuns: 1 });
    if (!found) throw new Error('there is always a case');
    return { ...found, number };
  };
}

function anyCase(definition: Definition, present: object): fc.Arbitrary<Omit<Case, 'number'>> {
  const families = familiesOf(definition, present);
  const validation = fc.constantFrom<Case['validation']>('Strict', 'Strict', 'Warn');
  const verb = fc.constantFrom<Verb>('apply', 'apply', 'replace', 'merge');
  const ofFamilies = families.map(({ name, weight, expected, edit }) => ({
    weight,
    arbitrary: fc.record({ verb, validation, edit }).map(({ edit: one, ...rest }) => ({
      ...rest,
      family: name,
      // What an apply leaves out stays as others have set it.
      expected: name === 'missing' && rest.verb === 'apply' ? ('either' as const) : expected,
      edits: [one],
    })),
  }));
  const anyEdit = fc.oneof(...families.map(({ weight, edit }) => ({ weight, arbitrary: edit })));
  const several = fc
    .record({ verb, validation, edits: fc.array(anyEdit, { minLength: 2, maxLength: 3 }) })
    .map((rest) => ({ ...rest, family: 'several', expected: 'either' as const }));
  const metadata = fc
    .record({ verb, validation, around: metadataEdits(definition) })
    .map(({ around, ...rest }) => ({
      ...rest,
      family: 'metadata',
      expected: around.expected,
      edits: [around.edit],
    }));
  const annotations = fc
    .record({ verb: fc.constantFrom<Verb>('replace', 'merge'), validation, around: annotationEdits() })
    .map(({ around, ...rest }) => ({
      ...rest,
      family: 'our annotations',
      expected: around.expected,
      edits: [around.edit],
    }));
  const texts = fc
    .record({ verb: fc.constantFrom<Verb>('apply', 'replace'), validation, textEdit: textEdits })
    .map(({ textEdit, ...rest }) => ({
      ...rest,
      textEdit,
      family: 'text',
      expected: textEdit.expected,
      edits: [],
    }));
  return fc.oneof(
    ...ofFamilies,
    { weight: 8, arbitrary: several },
    { weight: 8, arbitrary: metadata },
    { weight: 6, arbitrary: annotations },
    { weight: 4, arbitrary: texts },
  );
}

/** What is sent for a case. */
export interface Sent {
  method: 'PATCH' | 'PUT';
  contentType: string;
  body: string;
}

/** The request of a case. `manifest` is what a person has applied, `live` what the API has now. */
export function requestOf({ verb, edits, textEdit }: Case, manifest: object, live: object): Sent {
  const base = verb === 'replace' ? live : manifest;
  const wanted = edits.reduce(edited, base);
  const change = textEdit?.change ?? ((text: string) => text);
  switch (verb) {
    case 'apply':
      return { method: 'PATCH', contentType: 'application/apply-patch+yaml', body: change(write(wanted)) };
    case 'replace':
      return { method: 'PUT', contentType: 'application/json', body: change(write(wanted)) };
    case 'merge': {
      const patch = mergePatchOf(base, wanted) as Record<string, unknown>;
      return { method: 'PATCH', contentType: 'application/merge-patch+json', body: change(write(patch)) };
    }
  }
}

/** The words of which one must stand in an answer about the case. */
export function namesOf({ edits }: Case): string[] {
  return edits.map(({ path }) => lastNameOf(path));
}

const lastNameOf = (path: Path): string => {
  // A key that nobody could print is known by the map that it stands in.
  const name = String(path.findLast((part) => typeof part === 'string'));
  return /^[\w./-]{1,100}$/.test(name) ? name : String(path.at(-2));
};

/** The case in one line. */
export function describeCase({ number, family, verb, validation, edits, textEdit }: Case): string {
  const changes = edits.map(({ path, value }) => {
    const text = value === undefined ? 'taken away' : write(value);
    return `${pathText(path).slice(0, 120)} ${value === undefined ? text : `= ${shortened(text)}`}`;
  });
  const what = textEdit ? [textEdit.what] : changes;
  return `case ${number} (${family}, ${verb}, ${validation}): ${what.join('; ')}`;
}

const shortened = (text: string): string =>
  text.length <= 160 ? text : `${text.slice(0, 120)}… (${text.length} characters)`;
