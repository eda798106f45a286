import { stringify } from 'yaml';
import { z } from 'zod';
import { values } from './values.ts';

/** What is written of the chart's values: for Helm, for whoever sets them, and for whoever looks one up. Pure. */

/** The part of a JSON schema that is read here. */
interface Node {
  description?: string;
  properties?: Record<string, Node>;
  [field: string]: unknown;
}

const madeBy = 'Generated from deploy/chart/values.ts by "npm run generate".';

/** Draft 7 is what every Helm 3 and 4 understands. */
const schema = z.toJSONSchema(values, {
  target: 'draft-7',
  io: 'input',
  reused: 'inline',
  override: ({ jsonSchema }) => {
    // The largest whole number that JavaScript can tell from the next is no limit of ours.
    if (jsonSchema.maximum === Number.MAX_SAFE_INTEGER) delete jsonSchema.maximum;
  },
}) as Node;

export function valuesSchema(): string {
  return `${JSON.stringify({ ...schema, $comment: madeBy, title: 'Values of the chart quorate' }, null, 2)}\n`;
}

/** Every value with its default, and its description as a comment above it. */
export function valuesYaml(): string {
  return `# ${madeBy}\n${yamlOf(schema, values.parse({}), '')}`;
}

function yamlOf({ properties = {} }: Node, defaults: Record<string, unknown>, indent: string): string {
  const blocks = Object.entries(properties).flatMap(([name, node]) => {
    if (!(name in defaults)) return [];
    const value = defaults[name];
    const comment = wrap(node.description ?? '', 100 - indent.length).map((line) => `${indent}# ${line}\n`);
    const body = node.properties
      ? `${indent}${name}:\n${yamlOf(node, value as Record<string, unknown>, `${indent}  `)}`
      : indented(stringify({ [name]: value }, { lineWidth: 0 }), indent);
    return [`${comment.join('')}${body}`];
  });
  // At the top, a blank line between groups.
  return blocks.join(indent === '' ? '\n' : '');
}

const indented = (text: string, indent: string): string => text.replace(/^(?=.)/gm, indent);

function wrap(text: string, width: number): string[] {
  const lines = [''];
  for (const word of text.split(' ')) {
    const line = lines.at(-1) ?? '';
    if (line !== '' && line.length + 1 + word.length > width) lines.push(word);
    else lines[lines.length - 1] = line === '' ? word : `${line} ${word}`;
  }
  return lines;
}

/** A table of all values for the documentation. */
export function valuesMarkdown(): string {
  const rows = rowsOf(schema, values.parse({}), '');
  return [
    `<!-- ${madeBy} -->`,
    '# Values of the chart',
    '',
    'Set them with `--set NAME=VALUE` or in a file with `--values`. A name or a type that is not in this table is',
    'refused by `helm`, which then names it.',
    '',
    '| value | default | what it means |',
    '|---|---|---|',
    ...rows.map(([name, value, text = '']) => `| \`${name}\` | ${value} | ${text.replaceAll('|', '\\|')} |`),
    '',
  ].join('\n');
}

function rowsOf({ properties = {} }: Node, defaults: Record<string, unknown>, path: string): string[][] {
  return Object.entries(properties).flatMap(([name, node]) => {
    const value = defaults[name];
    const text = node.description ?? '';
    if (!node.properties)
      return value === undefined ? [] : [[`${path}${name}`, `\`${JSON.stringify(value)}\``, text]];
    return [
      [`${path}${name}`, '', `**${text}**`],
      ...rowsOf(node, value as Record<string, unknown>, `${path}${name}.`),
    ];
  });
}
