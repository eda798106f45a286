import { z } from 'zod';

/** The format of the decision records written by this code; older ones stay readable. */
export const decisionFormat = 1;

const condition = z.object({
  type: z.string(),
  status: z.enum(['True', 'False', 'Unknown']),
  reason: z.string(),
  message: z.string(),
});

const plan = z.object({
  reason: z.string(),
  message: z.string(),
  steps: z.array(
    z.object({
      step: z.string(),
      why: z.string(),
      args: z.unknown(),
      disruptive: z.literal(true).optional(),
    }),
  ),
  status: z.looseObject({ conditions: z.array(condition) }).optional(),
  requeueAfterMs: z.number().optional(),
  blocked: z.object({ rule: z.string(), evidence: z.string(), action: z.string() }).optional(),
});

const stepRecord = z.object({
  step: z.string(),
  why: z.string(),
  outcome: z.enum(['done', 'nothing', 'moved', 'failed', 'skipped']),
  detail: z.string().optional(),
  durationMs: z.number(),
});

/** The record of one pass: everything needed to say what was done, why, and to replay it. */
export const decisionSchema = z.object({
  format: z.literal(decisionFormat),
  id: z.string(),
  kube: z.string(),
  key: z.string(),
  engine: z.object({ name: z.string(), version: z.number() }),
  worker: z.string(),
  /** The events that woke the pass, newest last; `resync` and `requeue` have none. */
  wokenBy: z.array(z.string()),
  traceId: z.string(),
  time: z.string(),
  /** The custom resource this is about, so that the observer writes to that one and no successor of its name. */
  resource: z.object({ uid: z.string(), generation: z.number(), resourceVersion: z.string() }).optional(),
  spec: z.unknown(),
  facts: z.unknown(),
  nowMs: z.number(),
  plan: plan.optional(),
  steps: z.array(stepRecord),
  /** Why the pass ended early: what could not be read or planned, or which step failed. */
  error: z.object({ code: z.string(), message: z.string(), retryable: z.boolean() }).optional(),
  durationMs: z.object({ observe: z.number(), plan: z.number(), act: z.number() }),
});

export type Decision = z.infer<typeof decisionSchema>;
export type StepRecord = z.infer<typeof stepRecord>;
