import { existsSync, mkdirSync } from 'node:fs';
import { resolve } from 'node:path';
import { installApp } from './app.ts';
import { installSystem } from './system.ts';

/**
 * `npm run image -- DIR`: makes the root file system of Quorate's image in a new folder. The Dockerfile runs this
 * very program and copies the result, so the image is the same with Docker and without.
 */
const [dir] = process.argv.slice(2);
if (dir === undefined || existsSync(dir)) {
  console.error('usage: npm run image -- DIR, where DIR does not exist yet');
  process.exit(2);
}
const root = resolve(dir);
mkdirSync(root, { recursive: true });
installSystem(root);
installApp(root);
