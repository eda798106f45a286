/**
 * The lines of a stream of bytes, without their line feeds and without empty ones. Throws where the stream ends
 * in the middle of a line: what was cut off must not be taken for an end.
 */
export async function* readLines(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<string, void> {
  const decoder = new TextDecoder('utf-8', { fatal: true });
  let rest = '';
  for await (const chunk of chunks) {
    const [first = '', ...others] = decoder.decode(chunk, { stream: true }).split('\n');
    rest += first;
    for (const next of others) {
      if (rest.trim() !== '') yield rest;
      rest = next;
    }
  }
  if ((rest + decoder.decode()).trim() !== '') throw new Error('the stream ended in the middle of a line');
}
