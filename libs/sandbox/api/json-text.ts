import { badRequest } from '../status.ts';

/** Deeper than any real object, and what all code here can follow without running out of stack. */
const deepest = 500;

/**
 * What a text of JSON says that its value cannot tell: the paths of fields that stand in it twice, e.g. `spec.size`.
 * Throws BadRequest where it is nested deeper than is served here, or has a field that JavaScript keeps for itself.
 * The text must be JSON; nothing else is checked.
 */
export function doubledFields(text: string): string[] {
  const doubled: string[] = [];
  /** The object or list in which we are and all around it; a list has no fields. */
  const open: { fields: Set<string> | undefined; field: string; index: number }[] = [];
  let last = '';
  for (const [token] of text.matchAll(/"(?:[^"\\]|\\.)*"|[{}[\],:]/g)) {
    const at = open.at(-1);
    if (token === '{' || token === '[') {
      if (open.length === deepest) throw badRequest(`exceeded max depth: ${deepest} levels are served here`);
      open.push({ fields: token === '{' ? new Set() : undefined, field: '', index: 0 });
    } else if (token === '}' || token === ']') open.pop();
    else if (token === ',' && at) at.index++;
    else if (token === ':' && at?.fields) {
      at.field = JSON.parse(last) as string;
      if (at.field === '__proto__') throw badRequest('a field named "__proto__" is not served here');
      if (at.fields.has(at.field)) doubled.push(pathOf(open));
      at.fields.add(at.field);
    }
    last = token;
  }
  return doubled;
}

const pathOf = (open: { fields: Set<string> | undefined; field: string; index: number }[]): string =>
  open.reduce((path, { fields, field, index }) => {
    if (fields === undefined) return `${path}[${index}]`;
    return path === '' ? field : `${path}.${field}`;
  }, '');
