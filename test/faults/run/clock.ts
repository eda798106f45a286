import { closeSync, openSync, readdirSync, readFileSync, writeSync } from 'node:fs';
import { messageOf } from '../../../libs/errors/catalogue.ts';
import { until } from '../../wait.ts';
import { type Code, findVdsoFunction } from './vdso.ts';

/**
 * Sets the clock of the day of a Go program that runs to so many seconds after this machine's, or before where
 * negative. Go asks the vDSO for the time, without the C library, so that function is what is replaced. What is written
 * over the vDSO becomes the process's own copy of the page, as with a debugger's breakpoint; no other process sees it,
 * and with the process it is gone.
 */
export async function setProcessClock(pid: number, skewSeconds: number): Promise<void> {
  if (process.arch !== 'x64')
    throw new Error(`a member's clock can be set on x86-64 alone, not ${process.arch}`);
  const memory = openMemory(pid);
  try {
    const clock = findVdsoFunction(pid, memory, '__vdso_clock_gettime');
    const routine = skewedClock(skewSeconds);
    if (clock.sizeBytes < routine.length)
      throw new Error(`the vDSO's clock_gettime has ${clock.sizeBytes} bytes, ${routine.length} are needed`);
    await until(`no thread of process ${pid} is reading the clock`, () =>
      whileStopped(pid, () => {
        if (threadsOf(pid).some((thread) => isIn(clock, thread))) return false;
        return writeSync(memory, routine, 0, routine.length, clock.address) === routine.length;
      }),
    );
  } finally {
    closeSync(memory);
  }
}

/** `/proc/PID/mem`, by which even what is mapped for reading alone can be written (proc(5)). */
function openMemory(pid: number): number {
  try {
    return openSync(`/proc/${pid}/mem`, 'r+');
  } catch (error) {
    const rights = 'only root, or who runs the sandbox and is not kept from ptrace(2), can set its clock';
    throw new Error(`the memory of process ${pid} cannot be opened: ${rights}: ${messageOf(error)}`, {
      cause: error,
    });
  }
}

/**
 * `clock_gettime(edi, rsi)` in machine code, which lets the kernel answer and then adds the seconds to the clock of the
 * day, CLOCK_REALTIME, which is 0; all others go on as they are. It changes only registers that the caller has saved
 * by the System V ABI, which Go keeps to here (runtime/time_linux_amd64.s).
 */
function skewedClock(skewSeconds: number): Buffer {
  const add = Buffer.from([0x48, 0x81, 0x06, 0, 0, 0, 0]);
  add.writeInt32LE(skewSeconds, 3);
  return Buffer.from([
    ...[0xb8, 228, 0, 0, 0], // mov eax, 228: the number of clock_gettime
    ...[0x0f, 0x05], // syscall
    ...[0x85, 0xff], // test edi, edi
    ...[0x75, add.length], // jne to the end
    ...add, // add qword ptr [rsi], seconds
    0xc3, // ret
  ]);
}

/** Does the work while no thread of the process runs. One that was frozen before goes on afterwards. */
async function whileStopped<Result>(pid: number, work: () => Result): Promise<Result> {
  process.kill(pid, 'SIGSTOP');
  try {
    const isStopped = (thread: string) => /\) T /.test(readFileSync(`${thread}/stat`, 'utf8'));
    await until(`process ${pid} stops`, () => threadsOf(pid).every(isStopped));
    return work();
  } finally {
    process.kill(pid, 'SIGCONT');
  }
}

const threadsOf = (pid: number): string[] =>
  readdirSync(`/proc/${pid}/task`).map((thread) => `/proc/${pid}/task/${thread}`);

/** Whether the thread's next instruction is part of the code. */
function isIn({ address, sizeBytes }: Code, thread: string): boolean {
  const next = Number(readFileSync(`${thread}/syscall`, 'utf8').trim().split(' ').at(-1));
  return next >= address && next < address + sizeBytes;
}
