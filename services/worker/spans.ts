import { attributesOf } from '../../libs/engine/attributes.ts';
import type { Decision } from '../../libs/engine/decision.ts';
import { formatTraceparent, type TraceContext } from '../../libs/service/traceparent.ts';
import type { SpanAttributes, SpanOptions, Tracing } from '../../libs/service/tracing.ts';

/** The spans of a pass, made from its record when it has ended: nothing in a pass knows of them. */
export interface PassSpan {
  name: string;
  startMs: number;
  endMs: number;
  attributes: SpanAttributes;
  /** The code of the error that ended it. */
  error?: string;
  parts: PassSpan[];
}

/**
 * The parts of a pass that ended at `endMs`: observe, plan and act, as far as it came, and the steps, which are the
 * last of what act did. Pure.
 */
export function passSpans(decision: Decision, endMs: number): PassSpan[] {
  const { time, facts, plan, durationMs, steps, error } = decision;
  const startMs = Date.parse(time);
  const failed = error === undefined ? {} : { error: error.code };
  const part = (name: string, from: number, to: number, more: Partial<PassSpan> = {}): PassSpan => ({
    name,
    startMs: from,
    endMs: to,
    attributes: {},
    parts: [],
    ...more,
  });
  // Of the part in which it ended, the record has no duration.
  if (facts === null) return [part('observe', startMs, endMs, failed)];
  const observedMs = startMs + durationMs.observe;
  const observe = part('observe', startMs, observedMs);
  if (plan === undefined) return [observe, part('plan', observedMs, endMs, failed)];
  const plannedMs = observedMs + durationMs.plan;
  const actedMs = steps.length === 0 ? endMs : plannedMs + durationMs.act;
  let stepMs = actedMs - steps.reduce((sum, step) => sum + step.durationMs, 0);
  const ran = steps.map(({ step, outcome, durationMs: lastedMs }) => {
    const from = stepMs;
    stepMs += lastedMs;
    const attributes = { 'quorate.step': step, 'quorate.outcome': outcome };
    return part(`step ${step}`, from, stepMs, { attributes, ...(outcome === 'failed' && failed) });
  });
  return [
    observe,
    part('plan', observedMs, plannedMs, { attributes: { 'quorate.reason': plan.reason } }),
    part('act', plannedMs, actedMs, { ...failed, parts: ran }),
  ];
}

/** Opens the span of a pass that begins; `end` ends it, with its parts, by the record. */
export function startPassSpan(
  tracing: Tracing,
  options: SpanOptions,
): { context: TraceContext; end(decision: Decision, endMs: number): void } {
  const span = tracing.start('pass', options);
  const tell = (parts: PassSpan[], of: TraceContext): void => {
    const parent = formatTraceparent(of);
    for (const { name, startMs, endMs, attributes, error, parts: within } of parts) {
      const child = tracing.start(name, { parent, startMs, attributes });
      tell(within, child.context);
      child.end({ endMs, ...(error !== undefined && { error }) });
    }
  };
  return {
    context: span.context,
    end(decision, endMs) {
      if (span.context.sampled) tell(passSpans(decision, endMs), span.context);
      const failed = decision.error === undefined ? {} : { error: decision.error.code };
      span.end({ endMs, attributes: attributesOf(decision), ...failed });
    },
  };
}
