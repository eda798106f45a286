import { execFileSync } from 'node:child_process';
import { cpSync, globSync, mkdirSync, readdirSync, renameSync, rmSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { user } from './system.ts';

const repository = dirname(dirname(dirname(fileURLToPath(import.meta.url))));

export const services = ['watcher', 'worker', 'observer'];

/** What of the project the services consist of. */
const sources = ['package.json', 'LICENSE', 'libs', ...services.map((name) => `services/${name}`)];
/** What lies among it for tests alone, or for the machines of those who try Quorate out. */
const notOurs = /^libs\/sandbox(\/|$)|\/testing(\/|$)|\.test\.ts$/;
/** Files of packages that no program reads: declarations, maps, documentation. */
const notRun = ['**/*.d.ts', '**/*.d.mts', '**/*.d.cts', '**/*.map', '**/*.md', '**/*.markdown'];

/** The services, the packages that they need at run time, and their compiled code, in `/app`. */
export function installApp(root: string): void {
  const app = join(root, 'app');
  mkdirSync(app, { recursive: true });
  for (const source of sources) {
    cpSync(join(repository, source), join(app, source), {
      recursive: true,
      filter: (path) => !notOurs.test(path.slice(repository.length + 1)),
    });
  }
  installPackages(app);
  compile(root);
  // Whoever builds it may keep files to himself; the user of the image is another.
  execFileSync('chmod', ['-R', 'a+rX,go-w', app]);
}

function installPackages(app: string): void {
  const recipe = ['package-lock.json', '.npmrc'];
  for (const file of recipe) cpSync(join(repository, file), join(app, file));
  const options = ['--omit=dev', '--omit=optional', '--ignore-scripts', '--prefer-offline'];
  execFileSync('npm', ['ci', ...options], { cwd: app, stdio: ['ignore', 'ignore', 'inherit'] });
  for (const file of recipe) rmSync(join(app, file));
  const modules = join(app, 'node_modules');
  for (const name of ['.bin', '@types']) rmSync(join(modules, name), { recursive: true, force: true });
  for (const path of globSync(notRun, { cwd: modules })) {
    const file = join(modules, path);
    if (statSync(file).isFile()) rmSync(file);
  }
}

/**
 * Starts every service once, which shows that nothing is missing, and leaves what Node compiled for the next start.
 */
function compile(root: string): void {
  const compiled = join(root, 'app/compiled');
  for (const service of services) {
    const main = join(root, 'app/services', service, 'main.ts');
    execFileSync(join(root, 'usr/local/bin/node'), [main, '--version'], {
      env: { NODE_COMPILE_CACHE: compiled, NODE_COMPILE_CACHE_PORTABLE: '1' },
      stdio: ['ignore', 'ignore', 'inherit'],
    });
  }
  // Node looks in a folder whose name ends in the number of the user.
  for (const folder of readdirSync(compiled)) {
    renameSync(join(compiled, folder), join(compiled, folder.replace(/\d+$/, String(user.id))));
  }
}
