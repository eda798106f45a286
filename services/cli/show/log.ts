import type { Log } from '../../../libs/service/log.ts';

/** A log for people at a terminal: what is worth telling, as a sentence with its reason. */
export function logTo(say: (line: string) => void): Log {
  const tell = (fields: object, message: string) => {
    const { reason } = fields as { reason?: unknown };
    say(typeof reason === 'string' ? `${message} (${reason})` : message);
  };
  const log: Log = { debug: () => {}, info: tell, warn: tell, error: tell, child: () => log };
  return log;
}
