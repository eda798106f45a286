import { z } from 'zod';
import { decisionFormat, decisionSchema } from '../../libs/engine/decision.ts';
import { repeatSchema } from '../../libs/engine/repeat.ts';
import { flags } from '../../libs/engines/etcd/behaviour.ts';

/** What is written of the published formats of records: for programs, and for whoever looks a field up. Pure. */

/** The part of a JSON schema that is read here. */
interface Node {
  description?: string;
  type?: string;
  const?: unknown;
  enum?: unknown[];
  properties?: Record<string, Node>;
  items?: Node;
  required?: string[];
}

const madeBy = (from: string) => `Generated from ${from} by "npm run generate".`;

const schemaOf = (schema: z.ZodType) =>
  z.toJSONSchema(schema, {
    target: 'draft-2020-12',
    io: 'output',
    reused: 'inline',
    override: ({ jsonSchema }) => {
      // The largest whole number that JavaScript can tell from the next is no limit of ours.
      if (jsonSchema.maximum === Number.MAX_SAFE_INTEGER) delete jsonSchema.maximum;
      // Records of later versions may have more fields.
      delete jsonSchema.additionalProperties;
    },
  }) as Node;

const decision = schemaOf(decisionSchema);
const repeat = schemaOf(repeatSchema);

const schemaText = (node: Node, title: string, from: string) =>
  `${JSON.stringify({ ...node, $comment: madeBy(from), title }, null, 2)}\n`;

export const decisionJsonSchema = () =>
  schemaText(decision, `Decision record, format ${decisionFormat}`, 'libs/engine/decision.ts');

export const repeatJsonSchema = () => schemaText(repeat, 'Repeats of a decision', 'libs/engine/repeat.ts');

/** Every field with its type and description; an optional one in brackets. */
export function decisionMarkdown(): string {
  return `${introduction}
## The decision record, format ${decisionFormat}

${decision.description ?? ''}

${tableOf(decision)}

## Repeats

${repeat.description ?? ''}
${aboutRepeats}

${tableOf(repeat)}
${recordings}${formats}
${flagTable()}`;
}

const tableOf = (node: Node): string =>
  ['| field | type | |', '|---|---|---|', ...rowsOf(node, '')].join('\n');

function rowsOf({ properties = {}, required = [] }: Node, prefix: string): string[] {
  return Object.entries(properties).flatMap(([name, node]) => {
    const path = `${prefix}${name}${node.items ? '[]' : ''}`;
    const shown = required.includes(name) ? `\`${path}\`` : `[\`${path}\`]`;
    const row = `| ${shown} | ${typeOf(node)} | ${(node.description ?? '').replaceAll('|', '\\|')} |`;
    return [row, ...rowsOf(node.items ?? node, `${path}.`)];
  });
}

function typeOf(node: Node): string {
  const { type = 'any JSON', const: only, enum: among, items } = node;
  if (only !== undefined) return `\`${only}\``;
  if (among) return among.map((value) => `\`${value}\``).join(', ');
  return items ? `list of ${items.properties ? 'objects' : typeOf(items)}` : type;
}

/** What every version of etcd decides otherwise than the one before. */
const flagTable = (): string =>
  [
    '| etcd | before | since then |',
    '|---|---|---|',
    ...Object.values(flags)
      .toSorted((a, b) => a.since - b.since)
      .map(({ since, before, now }) => `| ${since} | ${before} | ${now} |`),
    '',
  ].join('\n');

const introduction = `<!-- ${madeBy('libs/engine/decision.ts and libs/engine/repeat.ts')} -->
# Records of passes

Every pass of a worker leaves one record in the NATS stream \`DECISIONS\`, on the subject
\`quorate.decisions.<kube>.<engine>.<namespace>.<cluster>\`, as JSON. \`quorate events\`, \`quorate why\` and
\`quorate replay\` read these records, and so may any program: the format is published
([JSON schema](../deploy/schemas/decision.schema.json)) and a record of an old format is read for ever.

No secret is in a record. The values of environment variables, wherever a list of them stands, are replaced by tokens
such as \`(secret 7c1e-0f5a…)\` before anything is planned; the same value has the same token under the same
\`QUORATE_DIGEST_KEY\`, so that a change shows; without that setting every process has a key of its own. The first part
names the key: tokens of different keys are never taken for a change. Shorter than eight characters, a value is hidden
in its own place, and not looked for in texts such as the last words of a container. What is planned with is what is
recorded.

How far back the streams go is set by \`QUORATE_DECISIONS_HOURS\` and \`QUORATE_DECISIONS_MIB\` (30 days, 1 GiB), and
likewise for \`EVENTS\` (7 days, 1 GiB) and \`REPEATS\` (30 days, 64 MiB), whichever comes first; the same for all services.
`;

const aboutRepeats = `They are in the stream \`REPEATS\`, which keeps the last message of each subject
\`quorate.repeats.<kube>.<engine>.<namespace>.<cluster>.<worker>\`
([JSON schema](../deploy/schemas/repeat.schema.json)). A pass is counted instead of recorded where nothing but time had
woken it, it saw and decided the very same as the record before of its worker, did nothing, and failed at nothing. Once
a day it is recorded anyway.`;

const recordings = `
## Recordings

\`quorate events … --export FILE\` and \`quorate replay … --export FILE\` write what is kept about a cluster to a file,
which \`--from FILE\` reads on any machine, without Kubernetes and without NATS: JSON lines, compressed with gzip. The
first line is a header (\`format\`: \`quorate-recording/1\`, \`kube\`, \`keys\`, \`since\`, \`until\`, \`keptSince\`, \`exportedAt\`,
\`quorateVersion\`); then each line has a \`decision\`, a \`repeat\`, or an \`event\` with its \`subject\` and when it was
stored (\`storedAt\`); the last one, \`end\`, has the number of each and the SHA-256 of all lines before it. A file that was
cut or changed is refused.

\`quorate replay\` says where records are missing, by their \`sequence\`.
`;

const formats = `
## Formats

| format | what it changed |
|---|---|
| 1 | the first |
| 2 | secrets are hidden; \`sequence\`, \`resource.deleting\` and the \`object\` of a step |

A new field is optional. Any other change is a new format, and \`libs/engine/decision.ts\` gets a function that makes a
record of the format before into one of the new.

## Replaying old records

A record names the version of the engine that decided. \`quorate replay\` plans from the recorded facts as that version
did: \`libs/engines/<engine>/behaviour.ts\` lists every decision that changed, with what it was, what it is, and since
which version. Whoever changes what a plan decides for the same facts

1. raises the engine's \`version\` and adds a flag there, asking for it where the decision is made;
2. makes a recording with \`node test/recordings/record.ts\` from the code as it is then, and adds it to
   \`test/recordings/\`, where a test replays all of them, each as its own version.

Facts that an older version did not gather are completed there, too, with what says nothing. Versions 1 and 2 of etcd were
never released: what they would have done about a changed \`spec.version\` is not kept.
`;
