import { importFindings } from './imports.ts';
import { placeFindings } from './places.ts';
import { purityFindings } from './purity.ts';
import { readSources } from './sources.ts';

/** The rules of the project that no linter knows. Prints each finding and fails if there is one. */
const files = readSources();
const findings = [...importFindings(files), ...placeFindings(files), ...purityFindings(files)];
for (const finding of findings) console.error(finding);
if (findings.length > 0) process.exit(1);
console.log(`${files.length} files keep the rules of test/checks`);
