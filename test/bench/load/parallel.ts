/** Does the work on every item in their order, on at most `inFlight` of them at once. */
export async function inParallel<Item>(
  items: Iterable<Item>,
  inFlight: number,
  work: (item: Item) => Promise<void>,
): Promise<void> {
  const iterator = items[Symbol.iterator]();
  // They share the iterator, so each item is taken once.
  const lane = async () => {
    for (let next = iterator.next(); !next.done; next = iterator.next()) await work(next.value);
  };
  await Promise.all(Array.from({ length: inFlight }, lane));
}
