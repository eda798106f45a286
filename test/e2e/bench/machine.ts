import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { ManagedProcess } from '../../../services/cli/processes/managed.ts';
import type { Stack } from '../../../services/cli/processes/stack.ts';
import { type Component, chosen, type Operator, parseLog } from './operator.ts';

const names: Record<Component, RegExp> = {
  watcher: /^watcher$/,
  worker: /^worker-\d+$/,
  observer: /^observer$/,
  nats: /^nats-server$/,
  redis: /^redis-server$/,
};

/** Quorate as processes of this machine. */
export function machineOperator(stack: Stack): Operator {
  const processesOf = (component: Component): ManagedProcess[] =>
    stack.processes.filter(({ name }) => names[component].test(name));
  const all = (component: Component, act: (process: ManagedProcess) => Promise<void>) =>
    Promise.all(processesOf(component).map(act));
  const start = async (component: Component) => void (await all(component, (each) => each.start()));
  const stop = async (component: Component) => {
    await all(component, (each) => {
      if (component === 'nats' || component === 'redis') each.kill('SIGKILL');
      return each.stop();
    });
  };
  const wholeLog = async (component: Component) => {
    const read = processesOf(component).map(async ({ name, logPath }) => {
      return [name, parseLog(await readFile(logPath, 'utf8'))] as const;
    });
    return new Map(await Promise.all(read));
  };
  return {
    natsUrl: stack.natsUrl,
    redisUrl: stack.redisUrl,
    async crash(targets) {
      for (const process of targets.flatMap((target) => chosen(target, processesOf(target.component)))) {
        process.kill('SIGKILL');
      }
    },
    stop,
    start,
    async takeAway(server, store) {
      await stop(server);
      return async () => {
        // Redis keeps nothing in any case.
        if (server === 'nats' && store === 'lost') await rm(join(stack.dir, 'nats'), { recursive: true });
        await start(server);
      };
    },
    async lives(components) {
      const processes = components.flatMap(processesOf);
      return Object.fromEntries(
        processes.flatMap(({ name, pid }) => (pid === undefined ? [] : [[name, String(pid)]])),
      );
    },
    async metricsUrls(component) {
      const ports = [...(await wholeLog(component)).values()].map(
        (lines) => lines.findLast(({ httpPort }) => typeof httpPort === 'number')?.['httpPort'],
      );
      return ports.flatMap((port) => (port === undefined ? [] : [`http://127.0.0.1:${port}/metrics`]));
    },
    wholeLog,
    async logFromNow(component) {
      const processes = processesOf(component);
      const starts = await Promise.all(
        processes.map(async ({ logPath }) => (await readFile(logPath, 'utf8')).length),
      );
      return async () => {
        const texts = await Promise.all(processes.map(({ logPath }) => readFile(logPath, 'utf8')));
        return new Map(
          processes.map(({ name }, index) => [name, parseLog((texts[index] ?? '').slice(starts[index]))]),
        );
      };
    },
  };
}
