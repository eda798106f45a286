/** Where progress is shown: lines that stay, and on a terminal a region below them that is drawn anew. */
export interface Screen {
  readonly isTerminal: boolean;
  line(text: string): void;
  /** Replaces the region; nothing happens where there is no terminal. */
  region(lines: readonly string[]): void;
}

const eraseBelow = '\x1b[0J';
/** Without wrapping, the terminal cuts what is too long, and every line is one row. */
const wrapOff = '\x1b[?7l';
const wrapOn = '\x1b[?7h';

export function openScreen(stream: NodeJS.WriteStream): Screen {
  let shown: readonly string[] = [];
  // A reader that went away (`| head`) must not end what runs: the words are lost, the work goes on.
  stream.on('error', () => {});

  const up = () => (shown.length > 0 ? `\x1b[${shown.length}A\r${eraseBelow}` : '');
  const draw = (lines: readonly string[]) =>
    lines.length > 0 ? `${wrapOff}${lines.join('\n')}\n${wrapOn}` : '';
  return {
    isTerminal: stream.isTTY === true,
    line(text) {
      stream.write(`${up()}${text}\n${draw(shown)}`);
    },
    region(lines) {
      if (!stream.isTTY) return;
      const fitting = lines.slice(0, Math.max(0, stream.rows - 2));
      if (fitting.length === shown.length && fitting.every((line, index) => line === shown[index])) return;
      const text = `${up()}${draw(fitting)}`;
      shown = fitting;
      stream.write(text);
    },
  };
}
