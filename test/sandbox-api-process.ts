import { once } from 'node:events';
import { runProcess } from '../libs/service/process.ts';
import { startSandboxApi } from './sandbox-api.ts';

/** The sandbox's API as a process of its own, for tests that freeze or kill it; its one argument is its directory. */
await runProcess('sandbox', async ({ log, signal }) => {
  const api = await startSandboxApi(process.argv[2] ?? '', log);
  process.send?.(api.kubeconfigPath);
  if (!signal.aborted) await once(signal, 'abort');
  await api.close();
});
