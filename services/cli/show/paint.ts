import { styleText } from 'node:util';

export type Colour = 'green' | 'yellow' | 'red' | 'cyan' | 'dim' | 'bold';

/** Puts a colour on a text, or leaves it as it is. */
export type Paint = (colour: Colour, text: string) => string;

/** No colours: for files, pipes and tests. */
export const plain: Paint = (_colour, text) => text;

/** Colours where the stream is a terminal and the user has not asked for none (NO_COLOR, no-color.org). */
export function paintFor(stream: NodeJS.WriteStream): Paint {
  return stream.isTTY ? (colour, text) => styleText(colour, text, { stream }) : plain;
}
