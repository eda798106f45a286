import { z } from 'zod';
import { QuorateError } from '../errors/catalogue.ts';

/**
 * The decision record: a published format. docs/decision-record.md and deploy/schemas/decision.schema.json are
 * generated from here. A new field is optional, because records of before have none; any other change is a new
 * format, with a function in `upgrades` that reads the one before, for ever.
 */
export const decisionFormat = 2;

const condition = z.object({
  type: z.string().describe('The type of the condition, e.g. `Available`.'),
  status: z.enum(['True', 'False', 'Unknown']).describe('Whether it holds.'),
  reason: z.string().describe('The situation in one word.'),
  message: z.string().describe('The situation in one sentence.'),
});

const plannedStep = z.object({
  step: z.string().describe("A name in the engine's table of steps, e.g. `createPod`."),
  why: z.string().describe('What is done to what, and why, for people.'),
  args: z.unknown().describe('What the step was given, with secrets hidden.'),
  disruptive: z
    .literal(true)
    .optional()
    .describe('It takes a member, a vote or data away; at most one such step is in a plan.'),
});

const blocked = z.object({
  rule: z.string().describe('The rule that stands in the way.'),
  evidence: z.string().describe('What was seen.'),
  action: z.string().describe('What a person can do.'),
});

const plan = z.object({
  reason: z.string().describe('The situation that the facts were classified as, e.g. `QuorumLost`.'),
  message: z.string().describe('The same in one sentence, with names and numbers.'),
  steps: z.array(plannedStep).describe('What is to be done, in order.'),
  status: z
    .looseObject({
      conditions: z
        .array(condition)
        .describe('The conditions, without their times, which the observer keeps.'),
    })
    .optional()
    .describe(
      "The status that follows for the custom resource; more fields are the engine's. Absent where there is no resource to write it to.",
    ),
  requeueAfterMs: z
    .number()
    .optional()
    .describe(
      'A pass, or for a cluster at rest a look, is due after this long, in milliseconds, if no event comes first.',
    ),
  blocked: blocked.optional().describe('Why the plan does not go on.'),
});

const stepRecord = z.object({
  step: z.string().describe('Its name, as in the plan.'),
  why: z.string().describe('As in the plan.'),
  outcome: z
    .enum(['done', 'nothing', 'moved', 'failed', 'skipped'])
    .describe(
      '`done`; `nothing` was left to do; the world had `moved` since the facts were gathered; it `failed`; or it was `skipped`, because one before it moved or failed.',
    ),
  detail: z.string().optional().describe('What it found or did, or why it failed.'),
  object: z
    .object({
      kind: z.string().describe('Its kind, e.g. `Pod`.'),
      name: z.string().describe('Its name.'),
      uid: z.string().describe('Its uid, by which it is told from others of its name.'),
    })
    .optional()
    .describe('The object of Kubernetes that it made, changed or deleted, where it did.'),
  durationMs: z.number().describe('How long it took, in milliseconds.'),
});

export const decisionSchema = z
  .object({
    format: z.literal(decisionFormat).describe('The format of this record.'),
    id: z.string().describe('Names the pass; unique.'),
    kube: z.string().describe('The id of the Kubernetes cluster under management.'),
    key: z.string().describe('The database cluster: `<engine>/<namespace>/<name>`.'),
    engine: z
      .object({
        name: z.string().describe('Its name, e.g. `etcd`.'),
        version: z
          .number()
          .describe('Raised whenever a plan may decide differently from before for the same facts.'),
      })
      .describe('The engine that decided.'),
    worker: z.string().describe('The instance of the worker that ran the pass.'),
    sequence: z
      .int()
      .min(1)
      .optional()
      .describe(
        'Counts the records of this worker process about this cluster, from 1: a gap is a record that was lost. Absent in what was recorded in format 1.',
      ),
    wokenBy: z
      .array(z.string())
      .describe(
        'The ids of the events that woke the pass, newest last. `resync/…` stands for the waking of every cluster after Redis lost what was due; `record/…` for a record that was stored late, maybe after those of later passes; `look/…` names members that no longer answered as they had; none for a pass that the one before had asked for.',
      ),
    traceId: z.string().describe('The trace of the newest of these events, as W3C Trace Context has it.'),
    spanId: z
      .string()
      .optional()
      .describe('The span of the pass in that trace; absent where nobody keeps the trace.'),
    time: z.string().describe('When the pass began, ISO 8601 in UTC.'),
    resource: z
      .object({
        uid: z.string().describe('Its uid: a successor of the same name is another resource.'),
        generation: z.number().describe('Its generation.'),
        resourceVersion: z.string().describe('Its version.'),
        deleting: z.literal(true).optional().describe('It was being deleted.'),
        leftAlone: z
          .string()
          .optional()
          .describe('Why it is left to another operator; nothing was observed or done then.'),
      })
      .optional()
      .describe('The custom resource as the pass read it; absent where there is none.'),
    spec: z
      .unknown()
      .describe(
        'The spec that was planned for, with its defaults and with secrets hidden; as it stands in the resource where the schema refuses it; `null` where there is no resource.',
      ),
    facts: z
      .unknown()
      .describe('What the pass saw, with secrets hidden: the very facts that the plan was made from.'),
    nowMs: z.number().describe('The time that the plan was given, in milliseconds since 1970.'),
    plan: plan.optional().describe('What was decided; absent where the pass ended before.'),
    approval: z
      .object({
        state: z
          .enum(['accepted', 'held'])
          .describe(
            '`accepted`: the spec was noted as such, and the next pass acts on it. `held`: `spec` is the accepted one, or, where none is known, nothing of the plan was done.',
          ),
        hash: z.string().optional().describe('The hash of the plan for the edited spec.'),
        blocked: blocked.optional().describe('Why the edited spec waits.'),
      })
      .optional()
      .describe('How an edit was ruled on that needs an approval; absent where none does.'),
    steps: z.array(stepRecord).describe('What came of the steps of the plan, in order.'),
    error: z
      .object({
        code: z.string().describe('Its code in the catalogue of errors.'),
        message: z.string().describe('What happened.'),
        retryable: z
          .boolean()
          .describe('Whether the same may succeed later without anybody changing anything.'),
      })
      .optional()
      .describe('Why the pass ended early: what could not be read or planned, or which step failed.'),
    durationMs: z
      .object({
        observe: z.number().describe('Gathering the facts.'),
        plan: z.number().describe('Deciding.'),
        act: z.number().describe('Running the steps.'),
      })
      .describe('How long each part of the pass took, in milliseconds.'),
  })
  .describe('The record of one pass: everything needed to say what was done and why, and to replay it.');

export type Decision = z.infer<typeof decisionSchema>;
export type StepRecord = z.infer<typeof stepRecord>;

/** By the format that is read: makes a record of it one of the next format. */
const upgrades: Record<number, (record: Record<string, unknown>) => Record<string, unknown>> = {
  // Format 2 added optional fields, and hides secrets, which format 1 may hold in `spec` and in the steps.
  1: (record) => ({ ...record, format: 2 }),
};

/**
 * Reads a record of any format there ever was, as one of the present format. Throws DECISION_UNREADABLE, naming
 * the field.
 */
export function readDecision(record: unknown): Decision {
  let upgraded = record;
  for (;;) {
    const format = (upgraded as { format?: unknown } | null)?.format;
    const upgrade = typeof format === 'number' ? upgrades[format] : undefined;
    if (upgrade === undefined) break;
    upgraded = upgrade(upgraded as Record<string, unknown>);
  }
  const read = decisionSchema.safeParse(upgraded);
  if (read.success) return read.data;
  const [issue] = read.error.issues;
  throw new QuorateError('DECISION_UNREADABLE', `${issue?.path.join('.')}: ${issue?.message}`);
}
