import assert from 'node:assert/strict';
import { existsSync, globSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, test } from 'node:test';
import { parse } from 'yaml';
import { helm, objectsIn, render } from '../chart.ts';

/** What the documentation shows is what the chart takes; commands for a cluster are for the end-to-end tests. */
const pages = ['README.md', ...globSync('docs/*.md').sort()].map((path) => ({
  path,
  text: readFileSync(path, 'utf8'),
}));

const blocks = (text: string, language: string): string[] =>
  [...text.matchAll(new RegExp(`^\`\`\`${language}\n([^]*?)^\`\`\`$`, 'gm'))].map(([, block = '']) => block);

describe('documentation', () => {
  test('every helm command names what the chart has', async () => {
    const commands = pages
      .flatMap(({ text }) => blocks(text, 'sh').join('').split('\n'))
      .filter((line) => /^helm (install|upgrade) /.test(line));
    assert.ok(commands.length >= 4);
    for (const command of commands) {
      // Rendered, where no cluster is at hand to install it in.
      const ofCluster = ['--create-namespace', '--reset-then-reuse-values'];
      const args = command.split(' ').filter((word) => !ofCluster.includes(word));
      const objects = objectsIn(await helm(['template', ...args.slice(2)]));
      assert.ok(objects.length > 20, command);
    }
  });

  test('every example of values is one', async () => {
    const examples = pages.flatMap(({ text }) => blocks(text, 'yaml'));
    assert.ok(examples.length >= 3);
    const defaults = JSON.stringify(await render({}));
    for (const example of examples) {
      assert.notEqual(JSON.stringify(await render(parse(example))), defaults, `changes nothing:\n${example}`);
    }
  });

  test('every link within the project leads somewhere', () => {
    for (const { path, text } of pages) {
      for (const [, link = ''] of text.matchAll(/\]\(([^)#\s]+)(?:#[^)]*)?\)/g)) {
        if (/^https?:/.test(link)) continue;
        assert.ok(existsSync(join(dirname(path), link)), `${path}: ${link}`);
      }
    }
  });
});
