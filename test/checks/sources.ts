import { globSync, readFileSync } from 'node:fs';

export interface SourceFile {
  path: string;
  text: string;
}

/** Every TypeScript file of the project, by its path from the root. */
export function readSources(): SourceFile[] {
  return ['libs', 'services', 'deploy', 'test']
    .flatMap((folder) => globSync(`${folder}/**/*.ts`))
    .sort()
    .map((path) => ({ path, text: readFileSync(path, 'utf8') }));
}
