import { isObject } from './json.ts';

type Step = (values: unknown[]) => unknown[];

/**
 * The part of JSONPath that printer columns use: fields, quoted fields, indexes, `[*]`, and filters such as
 * `[?(@.type=="Available")]`. Returns what the path finds; nothing where the path is beyond this subset.
 */
export function compileJsonPath(path: string): (value: unknown) => unknown[] {
  const steps: Step[] = [];
  const token =
    /\.?\['([^']+)'\]|\[\?\(@\.([\w.]+)\s*==\s*["']([^"']*)["']\)\]|\[(\d+)\]|\.?\[?\*\]?|\.((?:[^.[\\]|\\.)+)/y;
  while (token.lastIndex < path.length) {
    const found = token.exec(path);
    if (!found) return () => [];
    steps.push(stepOf(found));
  }
  return (value) => steps.reduce((values, step) => step(values), [value]);
}

function stepOf([, quoted, filterField, filterValue, index, field]: RegExpExecArray): Step {
  const name = quoted ?? field?.replaceAll('\\', '');
  if (name !== undefined) return (values) => values.flatMap((value) => fieldOf(value, name));
  if (index !== undefined) return (values) => values.flatMap((value) => fieldOf(value, index));
  if (filterField === undefined) return (values) => values.flatMap(itemsOf);
  const inner = filterField.split('.');
  return (values) =>
    values.flatMap(itemsOf).filter((item) => {
      const [found] = inner.reduce<unknown[]>(
        (at, part) => at.flatMap((value) => fieldOf(value, part)),
        [item],
      );
      return String(found) === filterValue;
    });
}

function fieldOf(value: unknown, name: string): unknown[] {
  if (Array.isArray(value)) return value[Number(name)] === undefined ? [] : [value[Number(name)]];
  return isObject(value) && value[name] !== undefined ? [value[name]] : [];
}

function itemsOf(value: unknown): unknown[] {
  if (Array.isArray(value)) return value;
  return isObject(value) ? Object.values(value) : [];
}
