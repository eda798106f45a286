import { EventEmitter, once } from 'node:events';
import { closeSync, openSync, readFileSync, rmSync, writeSync } from 'node:fs';

/**
 * What one run of a container printed: a file with one line each of the form `<time> <text>`, so that a reader can ask
 * for times. A line is stored when it is complete.
 */
export class LogFile {
  readonly #path: string;
  readonly #file: number;
  readonly #changes = new EventEmitter();
  #partial = '';
  #ended = false;

  constructor(path: string) {
    this.#path = path;
    this.#file = openSync(path, 'a', 0o600);
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
  lines(): { time: string; text: string }[] {
    const lines = readFileSync(this.#path, 'utf8').split('\n').slice(0, -1);
    return lines.map((line) => ({ time: line.slice(0, 24), text: line.slice(25) }));
  }

  /**
   * The lines, as they are asked for; with `follow` also those that come later, until the run or `signal` ends.
   */
  async *read(options: {
    follow: boolean;
    tailLines?: number;
    since?: Date;
    timestamps: boolean;
    signal: AbortSignal;
  }): AsyncGenerator<string> {
    const all = this.lines();
    const since = options.since?.toISOString() ?? '';
    let next = options.tailLines === undefined ? 0 : Math.max(0, all.length - options.tailLines);
    for (;;) {
      const ended = this.#ended;
      const lines = this.lines();
      const wanted = lines.slice(next).filter(({ time }) => time >= since);
      next = lines.length;
      if (wanted.length > 0) {
        yield wanted
          .map(({ time, text }) => (options.timestamps ? `${time} ${text}\n` : `${text}\n`))
          .join('');
      }
      if (!options.follow || ended || options.signal.aborted) return;
      if (this.#ended || this.lines().length > next) continue;
      try {
        await once(this.#changes, 'change', { signal: options.signal });
      } catch {
        // The reader has gone: nothing is left to do.
        return;
      }
    }
  }

  #write(lines: string[], now: Date): void {
    if (this.#ended || lines.length === 0) return;
    const time = now.toISOString();
    writeSync(this.#file, lines.map((line) => `${time} ${line}\n`).join(''));
    this.#changes.emit('change');
  }
}
