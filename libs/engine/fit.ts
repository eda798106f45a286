/** More than any honest spec has; a record holds it several times, and a message of the bus a mebibyte. */
const mostBytes = 64 * 1024;
/** Deeper than anything in the Kubernetes API, and far from what the stack can follow. */
const mostLevels = 100;

/** Whether JSON is nested so deep that code which follows it by calling itself might not come back. */
export function isTooDeep(json: unknown, levels = mostLevels): boolean {
  return deepField(json, levels) !== undefined;
}

/**
 * Why a spec is not even looked at, naming the field: the API server takes objects of more than a megabyte and of
 * thousands of levels, of which no record could be kept. `undefined` where it can be worked with. Pure.
 */
export function whyUnfit(spec: unknown): string | undefined {
  const deep = deepField(spec, mostLevels);
  if (deep !== undefined) return `${deep} is nested deeper than ${mostLevels} levels`;
  const bytes = bytesOf(spec);
  if (bytes <= mostBytes) return undefined;
  return `${largestField(spec)} makes the spec ${bytes} bytes long, and ${mostBytes} are the most`;
}

const bytesOf = (json: unknown): number => Buffer.byteLength(JSON.stringify(json) ?? '');

/** The path of the field, at most three levels down, below which something is too deep. */
function deepField(json: unknown, levels: number): string | undefined {
  const open: { value: unknown; level: number; path: string[] }[] = [
    { value: json, level: 0, path: ['spec'] },
  ];
  for (let at = open.pop(); at !== undefined; at = open.pop()) {
    const { value, level, path } = at;
    if (typeof value !== 'object' || value === null) continue;
    if (level === levels) return path.join('.');
    for (const [field, inner] of Object.entries(value))
      open.push({ value: inner, level: level + 1, path: path.length < 3 ? [...path, field] : path });
  }
  return undefined;
}

/** The path of the field, at most two levels down, that has most of the bytes. */
function largestField(spec: unknown): string {
  const path = ['spec'];
  let value = spec;
  while (path.length < 3 && typeof value === 'object' && value !== null) {
    const [largest] = Object.entries(value).sort(([, one], [, other]) => bytesOf(other) - bytesOf(one));
    if (largest === undefined) break;
    path.push(largest[0]);
    value = largest[1];
  }
  return path.join('.');
}
