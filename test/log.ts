import type { Log } from '../libs/service/log.ts';

export interface LogLine {
  level: 'debug' | 'info' | 'warn' | 'error';
  message: string;
  fields: Record<string, unknown>;
}

/** A log that keeps its lines for a test to look at. */
export function createTestLog(): Log & { readonly lines: LogLine[] } {
  const lines: LogLine[] = [];
  const logWith = (base: object): Log => {
    const add = (level: LogLine['level']) => (fields: object, message: string) =>
      void lines.push({ level, message, fields: { ...base, ...fields } });
    return {
      debug: add('debug'),
      info: add('info'),
      warn: add('warn'),
      error: add('error'),
      child: (fields) => logWith({ ...base, ...fields }),
    };
  };
  return { ...logWith({}), lines };
}
