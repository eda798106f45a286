import { randomBytes } from 'node:crypto';
import { globSync } from 'node:fs';
import { styleText } from 'node:util';
import { messageOf } from '../../libs/errors/catalogue.ts';
import { ensurePrograms } from '../../services/cli/toolchain/ensure.ts';
import { programsNeeded, programVariables } from '../../services/cli/toolchain/programs.ts';
import { runProgram } from '../program.ts';
import { nextImageVariable, operatorNamespaceVariable, runVariable } from './bench/bench.ts';
import { createHelm, releaseName } from './bench/helm.ts';
import { createKubectl, type Kubectl } from './bench/kubectl.ts';
import { assertPodsReachable } from './bench/reachable.ts';
import { compareRights } from './rights/compare.ts';
import { dormantRights } from './rights/dormant.ts';
import { readAuditLog, readRights } from './rights/read.ts';
import { type FileResult, nameOf, runFiles } from './run/files.ts';
import { chartArguments, cleanUp, hasCrd, install, operatorNamespace } from './run/install.ts';
import { type Options, readOptions, usage } from './run/options.ts';
import { summaryOf } from './run/summary.ts';

/** `npm run e2e`: the end-to-end tests, in the sandbox or on any Kubernetes. `usage` explains the options. */

const stop = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => stop.abort());

/** Whether something that was made could not be taken away. */
let leftBehind = false;

const title = (text: string) => console.log(styleText('bold', `\n── ${text}`));

/** In the sandbox each file has a Quorate of its own, which waits more than it works. */
const filesAtOnce = 2;

function runWanted(options: Options): Promise<FileResult[]> {
  const places = options.kubeconfig
    ? ['test/e2e/*.test.ts', 'test/e2e/real/*.test.ts']
    : ['test/e2e/*.test.ts'];
  const files = globSync(places).sort();
  const unknown = options.only.filter((name) => !files.some((file) => nameOf(file) === name));
  if (unknown.length > 0) throw new Error(`no such test file: ${unknown.join(', ')}`);
  const wanted = files.filter((file) => options.only.length === 0 || options.only.includes(nameOf(file)));
  return runFiles(wanted, options.kubeconfig ? 1 : filesAtOnce, title, stop.signal);
}

/** Compares the rights of the services with what they asked for in all the tests. */
async function checkRights(kubectl: Kubectl, auditLog: string): Promise<FileResult> {
  title('rights');
  const startedMs = performance.now();
  const [granted, requests] = await Promise.all([
    readRights(kubectl, operatorNamespace),
    readAuditLog(auditLog, operatorNamespace),
  ]);
  const failed = compareRights(granted, requests, dormantRights);
  for (const finding of failed) console.log(styleText('red', `✖ a right ${finding}`));
  const passed = granted.length - failed.length;
  console.log(`${granted.length} rights, ${requests.length} requests`);
  return { name: 'rights', passed, failed, skipped: [], durationMs: performance.now() - startedMs };
}

async function runOnReal(options: Options, kubeconfig: string): Promise<FileResult[]> {
  const inCluster = options.operator === 'cluster';
  const kubectl = createKubectl(process.env['KUBECTL'] ?? 'kubectl', kubeconfig);
  const helm = inCluster ? createHelm(process.env['HELM'] ?? 'helm', kubeconfig) : undefined;
  process.env[runVariable] = randomBytes(4).toString('hex');
  const keep = { crd: await hasCrd(kubectl) };
  try {
    await assertPodsReachable(kubectl);
    if (helm) {
      title(`Installing ${options.image} with the chart`);
      await install(kubectl, helm, chartArguments(options.image, options.helmArguments));
      process.env[operatorNamespaceVariable] = operatorNamespace;
      if (options.nextImage) process.env[nextImageVariable] = options.nextImage;
      console.log(await helm('status', releaseName, '--namespace', operatorNamespace));
    }
    const results = await runWanted(options);
    if (options.auditLog !== undefined) results.push(await checkRights(kubectl, options.auditLog));
    return results;
  } finally {
    title('Taking away what was made');
    await cleanUp(kubectl, helm, keep).catch((error: unknown) => {
      // Said and remembered, but what went wrong before is told as well.
      console.error(styleText('red', messageOf(error)));
      leftBehind = true;
    });
  }
}

async function main(options: Options): Promise<boolean> {
  const { kubeconfig, operator, image } = options;
  const startedMs = performance.now();
  console.log(`Kubernetes: ${kubeconfig ?? 'the sandbox, started for each file'}`);
  console.log(`Quorate: ${operator === 'cluster' ? `${image}, installed by the chart` : 'on this machine'}`);

  const real = kubeconfig !== undefined;
  const needed = programsNeeded({ kube: real, nats: operator === 'cluster', redis: operator === 'cluster' });
  const programs = await ensurePrograms(operator === 'cluster' ? [...needed, 'helm'] : needed, console.log);
  Object.assign(process.env, programVariables(programs));

  const results = await (real ? runOnReal(options, kubeconfig) : runWanted(options));
  const seconds = ((performance.now() - startedMs) / 1000).toFixed(0);
  title(`End-to-end tests: ${seconds} s`);
  for (const line of summaryOf(results)) console.log(line);
  return !stop.signal.aborted && !leftBehind && results.every(({ failed }) => failed.length === 0);
}

await runProgram(usage, () => readOptions(process.argv.slice(2), process.env), main);
