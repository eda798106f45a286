import { type Difference, isFields, isRestless, noAnswer, unanswered } from './differences.ts';

/** Fields that say where in an object something is, and tell a reader nothing. */
const silent = new Set(['status', 'metadata', 'conditions', 'containerStatuses', 'annotations', 'labels']);
/** More than this are folded. */
const mostItems = 6;
const mostFields = 4;
const longestValue = 90;

/** Differences in a few words each, the same ones of several things told once. Pure. */
export function phrases(differences: readonly Difference[]): string[] {
  // The second name in the path of a fact is a member's, the last one a part of what is known of it.
  const told = differences.map(withoutWhat);
  const perThing = together(told, 1, (names) => `(${names.length} of them)`);
  return together(perThing, -1, (names) => names.join(', ')).map(phrase);
}

/** Of an answer that failed or came back, what it was before says nothing. */
function withoutWhat({ path, before, after, note }: Difference): Difference {
  if (noAnswer(after)) return { path, after };
  if (noAnswer(before) && after !== undefined) return { path, before: unanswered, after: true };
  return {
    path,
    ...(before !== undefined && { before }),
    ...(after !== undefined && { after }),
    ...(note && { note }),
  };
}

/** Makes one of those that differ in one name of their path alone. */
function together(
  differences: readonly Difference[],
  at: number,
  name: (names: string[]) => string,
): Difference[] {
  const groups = Map.groupBy(differences, ({ path, ...values }) =>
    JSON.stringify([path.length, path.with(Math.min(at, path.length - 1), ''), values]),
  );
  return [...groups.values()].flatMap((group): Difference[] => {
    const [first] = group;
    if (first === undefined || group.length === 1 || first.path.length < 3) return group;
    return [{ ...first, path: first.path.with(at, name(group.map(({ path }) => path.at(at) ?? ''))) }];
  });
}

/** `spec.size 3 → 5`, `+ pods.example-4`, `members.example-4: no answer: …` */
export function phrase({ path, before, after, note }: Difference): string {
  const place = path.filter((name, index) => index === path.length - 1 || !silent.has(name)).join('.');
  const told = note === undefined ? '' : ` (${cut(note)})`;
  if (Array.isArray(before) && Array.isArray(after)) return `${place} ${members(before, after)}`.trim();
  if (after === undefined) return `− ${place}`;
  if (noAnswer(after)) return `${place}: ${cut(after)}`;
  if (noAnswer(before)) return `${place}: answers`;
  if (before === undefined)
    return typeof after === 'object' ? `+ ${place}${fieldsOf(after)}` : `${place}: ${shown(after)}${told}`;
  return `${place} ${shown(before)} → ${shown(after)}${told}`;
}

const members = (before: unknown[], after: unknown[]): string =>
  fold(
    [
      ...before.filter((item) => !after.includes(item)).map((item) => `− ${shown(item)}`),
      ...after.filter((item) => !before.includes(item)).map((item) => `+ ${shown(item)}`),
    ].filter((text) => !/ $/.test(text)),
  ).join(', ');

/** The plain fields of a small thing. */
function fieldsOf(value: unknown): string {
  if (!isFields(value)) return '';
  const plain = Object.entries(value).filter(
    ([name, field]) => !isRestless(name) && field !== '' && field !== null && typeof field !== 'object',
  );
  if (plain.length === 0 || plain.length > mostFields) return '';
  return ` (${plain.map(([name, field]) => `${name} ${shown(field)}`).join(', ')})`;
}

/** A value in a few words. */
function shown(value: unknown): string {
  if (value === null || value === undefined || value === '') return 'none';
  if (typeof value === 'boolean') return value ? 'yes' : 'no';
  if (Array.isArray(value))
    return value.length === 0 ? 'none' : fold(value.map(shown), mostFields).join(', ');
  if (isFields(value)) return fieldsOf(value).trim() || 'something';
  return cut(String(value));
}

const cut = (text: string): string =>
  text.length > longestValue ? `${text.slice(0, longestValue - 1)}…` : text;

/** The first of the items and how many more there are; all of them where that would hide only one. */
export function fold(items: readonly string[], most = mostItems): string[] {
  if (items.length <= most + 1) return [...items];
  return [...items.slice(0, most), `… and ${items.length - most} more`];
}
