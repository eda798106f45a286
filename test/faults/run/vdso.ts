import { readFileSync, readSync } from 'node:fs';

/** Code in a process's memory. */
export interface Code {
  address: number;
  sizeBytes: number;
}

/**
 * Finds a function of the vDSO, which is code that the kernel maps into every process: a whole ELF file (vdso(7)).
 * `memory` is the process's `/proc/PID/mem`. Throws where there is no such function.
 */
export function findVdsoFunction(pid: number, memory: number, name: string): Code {
  const mapping = /^(\w+)-(\w+) .*\[vdso\]$/m.exec(readFileSync(`/proc/${pid}/maps`, 'utf8'));
  if (mapping === null) throw new Error(`process ${pid} has no vDSO`);
  const [start = 0, end = 0] = mapping.slice(1).map((each) => Number.parseInt(each, 16));
  const file = Buffer.alloc(end - start);
  readSync(memory, file, 0, file.length, start);
  const found = functionsOf(file).get(name);
  if (found === undefined) throw new Error(`the vDSO of process ${pid} has no ${name}`);
  return { ...found, address: start + found.address };
}

const dynamicSymbols = 11;
const symbolBytes = 24;

/** The functions that a shared library of 64 bits offers, by name: the offsets are those of elf(5). */
function functionsOf(file: Buffer): Map<string, Code> {
  const long = (offset: number) => Number(file.readBigUInt64LE(offset));
  const sectionCount = file.readUInt16LE(60);
  const sections = Array.from({ length: sectionCount }, (_, index) => {
    const header = long(40) + index * file.readUInt16LE(58);
    return {
      type: file.readUInt32LE(header + 4),
      ...{ offset: long(header + 24), sizeBytes: long(header + 32) },
      linked: file.readUInt32LE(header + 40),
    };
  });
  const table = sections.find(({ type }) => type === dynamicSymbols);
  const names = table && sections[table.linked];
  if (!names) throw new Error('the vDSO has no table of its functions');
  const nameAt = (offset: number) => file.toString('latin1', offset, file.indexOf(0, offset));
  return new Map(
    Array.from({ length: table.sizeBytes / symbolBytes }, (_, index) => {
      const symbol = table.offset + index * symbolBytes;
      const name = nameAt(names.offset + file.readUInt32LE(symbol));
      return [name, { address: long(symbol + 8), sizeBytes: long(symbol + 16) }];
    }),
  );
}
