import { stripVTControlCharacters } from 'node:util';
import type { RecordingEntry } from '../../../libs/engine/recording.ts';
import { paintFor } from '../show/paint.ts';
import { openScreen } from '../show/screen.ts';
import { dayLine, entryLines, hangingIndent } from './lines.ts';
import { createTeller, inOrder, type StoryEntry } from './story.ts';

export interface StoryShown {
  /** Tells more of it; the entries may come in any order, but none that belongs before those of an earlier call. */
  tell(entries: readonly RecordingEntry[]): void;
  end(): void;
}

/** Shows the story of one cluster on a stream: text for a terminal or a pipe, or a line of JSON for every entry. */
export function storyTo(
  stream: NodeJS.WriteStream,
  options: { key: string; json: boolean; since: Date | undefined; kept: Date | undefined },
): StoryShown {
  const { key, json, since, kept } = options;
  const screen = openScreen(stream);
  const paint = paintFor(stream);
  const teller = createTeller();
  let count = 0;
  let lastTime: string | undefined;
  if (since !== undefined && kept !== undefined && kept > since)
    console.error(paint('dim', `What is kept begins at ${kept.toISOString()}: nothing of before is told.`));

  const show = (entry: StoryEntry) => {
    if (since !== undefined && Date.parse(entry.time) < since.getTime()) return;
    count++;
    if (json) return screen.line(JSON.stringify(entry));
    const lines = entryLines(entry, paint);
    if (lines.length === 0) return;
    for (const line of [...dayLine(lastTime, entry.time, paint), ...lines])
      for (const row of wrapped(line, stream)) screen.line(row);
    lastTime = entry.time;
  };

  return {
    tell(entries) {
      for (const entry of inOrder(entries)) for (const told of teller.take(entry)) show(told);
      if (!json) screen.region(teller.counted().flatMap((repeats) => entryLines(repeats, paint)));
    },
    end() {
      screen.region([]);
      for (const repeats of teller.rest()) show(repeats);
      if (count > 0) return;
      const from =
        kept === undefined ? 'nothing at all is kept' : `what is kept begins at ${kept.toISOString()}`;
      console.error(`Nothing is recorded of ${key}${since ? ` since ${since.toISOString()}` : ''}; ${from}.`);
    },
  };
}

/** A line as rows of the terminal, the later ones under the first one's text; in a pipe there is no width. */
function wrapped(line: string, stream: NodeJS.WriteStream): string[] {
  const columns = stream.isTTY ? stream.columns : Number.POSITIVE_INFINITY;
  const widthOf = (text: string) => stripVTControlCharacters(text).length;
  if (widthOf(line) <= columns || columns < 2 * hangingIndent) return [line];
  const rows: string[] = [];
  let row = '';
  for (const word of line.split(/(?<=\S) (?=\S)/)) {
    const longer = row === '' ? word : `${row} ${word}`;
    if (row !== '' && widthOf(longer) > columns) {
      rows.push(row);
      row = `${' '.repeat(hangingIndent)}${word}`;
    } else row = longer;
  }
  return [...rows, row];
}
