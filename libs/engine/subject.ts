/**
 * The name of the object or member that a step is about, from its arguments: the object that is made, or what the
 * engine calls `name`, or the `targetName` that takes something over. `undefined` for steps on the resource itself.
 */
export function subjectOf(args: unknown): string | undefined {
  const { object, name, targetName } = (args ?? {}) as {
    object?: { metadata?: { name?: unknown } };
    name?: unknown;
    targetName?: unknown;
  };
  const found = object?.metadata?.name ?? name ?? targetName;
  return typeof found === 'string' ? found : undefined;
}
