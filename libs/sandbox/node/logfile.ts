import { EventEmitter, once } from 'node:events';
import { closeSync, openSync, readFileSync, readSync, rmSync, writeSync } from 'node:fs';

interface Line {
  time: string;
  text: string;
}

/**
 * What one run of a container printed: a file with one line each of the form `<time> <text>`, so that a reader can ask
 * for times. A line is stored when it is complete.
 */
export class LogFile {
  readonly #path: string;
  readonly #file: number;
  readonly #changes = new EventEmitter();
  #partial = '';
  #size = 0;
  #ended = false;

  constructor(path: string) {
    this.#path = path;
    this.#file = openSync(path, 'w', 0o600);
    // Every follower of a log listens here; there may be many.
    this.#changes.setMaxListeners(0);
  }

  append(chunk: Buffer, now: Date = new Date()): void {
    const lines = (this.#partial + chunk.toString('utf8')).split('\n');
    this.#partial = lines.pop() ?? '';
    this.#write(lines, now);
  }

  /** No more will come. */
  end(now: Date = new Date()): void {
    if (this.#ended) return;
    if (this.#partial !== '') this.#write([this.#partial], now);
    this.#ended = true;
    closeSync(this.#file);
    this.#changes.emit('change');
  }

  /** Ends the log and removes its file. */
  remove(): void {
    this.end();
    rmSync(this.#path, { force: true });
  }

  /** The stored lines with their times, in order. */
  lines(): Line[] {
    return parse(readFileSync(this.#path, 'utf8'));
  }

  /** The lines that are asked for; with `follow` also those that come later, until the run or `signal` ends. */
  async *read(options: {
    follow: boolean;
    tailLines?: number;
    since?: Date;
    timestamps: boolean;
    signal: AbortSignal;
  }): AsyncGenerator<string> {
    const since = options.since?.toISOString() ?? '';
    let lines = this.lines();
    let offset = this.#size;
    if (options.tailLines !== undefined) lines = lines.slice(Math.max(0, lines.length - options.tailLines));
    for (;;) {
      const wanted = lines.filter(({ time }) => time >= since);
      const text = wanted.map((line) =>
        options.timestamps ? `${line.time} ${line.text}\n` : `${line.text}\n`,
      );
      if (text.length > 0) yield text.join('');
      if (offset === this.#size) {
        if (!options.follow || this.#ended || options.signal.aborted) return;
        // Settled by the signal as well, which the next turn sees.
        await once(this.#changes, 'change', { signal: options.signal }).catch(() => {});
      }
      lines = this.#linesFrom(offset);
      offset = this.#size;
    }
  }

  /** What was written from byte `offset` on, which is the start of a line. */
  #linesFrom(offset: number): Line[] {
    if (offset === this.#size) return [];
    const content = Buffer.alloc(this.#size - offset);
    const file = openSync(this.#path, 'r');
    try {
      const length = readSync(file, content, 0, content.length, offset);
      return parse(content.toString('utf8', 0, length));
    } finally {
      closeSync(file);
    }
  }

  #write(lines: string[], now: Date): void {
    if (this.#ended || lines.length === 0) return;
    const time = now.toISOString();
    this.#size += writeSync(this.#file, lines.map((line) => `${time} ${line}\n`).join(''));
    this.#changes.emit('change');
  }
}

function parse(content: string): Line[] {
  const lines = content.split('\n').slice(0, -1);
  // A time in ISO 8601 with milliseconds has 24 characters.
  return lines.map((line) => ({ time: line.slice(0, 24), text: line.slice(25) }));
}
