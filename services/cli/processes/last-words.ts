import { open } from 'node:fs/promises';

const tailBytes = 8_192;

/** The last thing that a process wrote to its log, in one line: the reason of a JSON log, else the text itself. */
export async function lastWords(logPath: string): Promise<string | undefined> {
  let tail: string;
  try {
    tail = await readTail(logPath);
  } catch {
    // No log, no words: the caller has the exit code to tell.
    return undefined;
  }
  const lines = tail.split('\n').filter((line) => line.trim() !== '');
  const last = lines.at(-1);
  return last === undefined ? undefined : saying(last);
}

/** What a line of a log says, without its time, level and other fields. */
export function saying(line: string): string {
  try {
    const fields = JSON.parse(line) as { msg?: unknown; reason?: unknown };
    const parts = [fields.msg, fields.reason].filter((part) => typeof part === 'string');
    if (parts.length > 0) return parts.join(': ');
  } catch {
    // Not JSON: the line speaks for itself.
  }
  return line.trim().slice(0, 300);
}

async function readTail(path: string): Promise<string> {
  const file = await open(path, 'r');
  try {
    const { size } = await file.stat();
    const { buffer, bytesRead } = await file.read({
      buffer: Buffer.alloc(Math.min(size, tailBytes)),
      position: Math.max(0, size - tailBytes),
    });
    return buffer.toString('utf8', 0, bytesRead);
  } finally {
    await file.close();
  }
}
