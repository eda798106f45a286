import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readBlocked } from '../../libs/engine/blocked.ts';
import type { Condition, Plan } from '../../libs/engine/contract.ts';
import type { Decision } from '../../libs/engine/decision.ts';
import { nextStatus, shareOf, statusPatch, type WrittenStatus } from './status.ts';

const early = '2026-01-01T00:00:00Z';
const late = '2026-01-01T00:05:00Z';

const available = (status: Condition['status'], message = 'm'): Condition => ({
  type: 'Available',
  status,
  reason: 'Quorum',
  message,
});

function decided(plan: Partial<Plan> | undefined, more: Partial<Decision> = {}): Decision {
  return {
    format: 2,
    id: 'pass-1',
    kube: 'local',
    key: 'etcd/default/example',
    engine: { name: 'etcd', version: 1 },
    worker: 'w',
    wokenBy: [],
    traceId: 't',
    time: early,
    resource: { uid: 'u', generation: 2, resourceVersion: '9' },
    spec: {},
    facts: {},
    nowMs: 0,
    ...(plan && { plan: { reason: 'Healthy', message: '', steps: [], status: undefined, ...plan } }),
    steps: [],
    durationMs: { observe: 0, plan: 0, act: 0 },
    ...more,
  };
}

const written = (status: WrittenStatus | undefined): WrittenStatus => {
  assert.ok(status, 'nothing is written');
  return status;
};
const conditionOf = (status: WrittenStatus | undefined, type: string) =>
  written(status).conditions?.find((condition) => condition.type === type);

const statusAfter = (current: WrittenStatus, decision: Decision, nowIso: string) =>
  nextStatus(current, [decision], nowIso);

const running = decided({ status: { phase: 'Running', conditions: [available('True')] } });

test('the first status has every field, each condition its times, and the generation it is about', () => {
  const status = written(statusAfter({}, running, early));
  const times = { lastTransitionTime: early, lastUpdateTime: early, observedGeneration: 2 };
  assert.deepEqual(status, {
    phase: 'Running',
    observedGeneration: 2,
    conditions: [
      { ...available('True'), ...times },
      {
        type: 'Blocked',
        status: 'False',
        reason: 'NotBlocked',
        message: 'nothing stands in the way',
        ...times,
      },
    ],
  });
});

test('the same decision once more changes nothing, so nothing is written', () => {
  const status = written(statusAfter({}, running, early));
  assert.equal(statusAfter(structuredClone(status), running, late), undefined);
});

test('a new message is an update, but no transition', () => {
  const before = written(statusAfter({}, running, early));
  const next = statusAfter(before, decided({ status: { conditions: [available('True', 'other')] } }), late);
  const condition = conditionOf(next, 'Available');
  assert.deepEqual([condition?.lastTransitionTime, condition?.lastUpdateTime], [early, late]);
  assert.equal(conditionOf(next, 'Blocked')?.lastUpdateTime, early);
});

test('a turned status is a transition', () => {
  const before = written(statusAfter({}, running, early));
  const next = statusAfter(before, decided({ status: { conditions: [available('False')] } }), late);
  assert.equal(conditionOf(next, 'Available')?.lastTransitionTime, late);
});

test('conditions of others stay where they are, in their order', () => {
  const theirs = { ...available('True'), type: 'Theirs', lastTransitionTime: early, lastUpdateTime: early };
  const next = written(statusAfter({ conditions: [theirs] }, running, late));
  assert.deepEqual(next.conditions?.[0], theirs);
  assert.deepEqual(
    next.conditions?.map(({ type }) => type),
    ['Theirs', 'Available', 'Blocked'],
  );
});

test('a blocked plan says rule, evidence and what to do, and leaves the rest of the status alone', () => {
  const before = written(statusAfter({}, running, early));
  const blocked = { rule: 'r', evidence: 'e', action: 'a' };
  const next = statusAfter(before, decided({ reason: 'InvalidSpec', status: undefined, blocked }), late);
  const condition = conditionOf(next, 'Blocked');
  assert.deepEqual([condition?.status, condition?.reason], ['True', 'InvalidSpec']);
  assert.equal(condition?.message, `Rule: r. Evidence: e. Since: ${late}. What you can do: a.`);
  assert.equal(written(next)['phase'], 'Running');
});

test('blocked since: as long as it is for the same reason, whatever the evidence', () => {
  const blocked = (reason: string, evidence: string) =>
    decided({ reason, status: undefined, blocked: { rule: 'r', evidence, action: 'a' } });
  const later = '2026-01-01T00:09:00Z';
  const since = (status: WrittenStatus | undefined) =>
    readBlocked(conditionOf(status, 'Blocked')?.message ?? '')?.since;
  const first = written(statusAfter({}, blocked('One', 'e'), early));
  const second = written(statusAfter(first, blocked('One', 'more'), late));
  assert.deepEqual([since(first), since(second)], [early, early]);
  const third = statusAfter(second, blocked('Other', 'e'), later);
  assert.equal(since(third), later);
  assert.equal(conditionOf(third, 'Blocked')?.lastTransitionTime, early);
  // Written by a version that did not say since when.
  const old = {
    ...first,
    conditions: (first.conditions ?? []).map((each) => ({ ...each, message: 'Rule: r.' })),
  };
  assert.equal(since(statusAfter(old, blocked('One', 'e'), late)), early);
});

test('an edit that waits for its approval blocks, unless something worse does', () => {
  const parts = { rule: 'approved only', evidence: 'e', action: 'a' };
  const approval = { state: 'held', hash: 'h', blocked: parts } as const;
  const held = conditionOf(
    statusAfter({}, decided({ status: { conditions: [] } }, { approval }), early),
    'Blocked',
  );
  assert.deepEqual([held?.status, held?.reason], ['True', 'ApprovalRequired']);
  assert.match(held?.message ?? '', /^Rule: approved only\./);
  const worse = decided({ reason: 'QuorumLost', status: { conditions: [] }, blocked: parts }, { approval });
  assert.equal(conditionOf(statusAfter({}, worse, early), 'Blocked')?.reason, 'QuorumLost');
});

test('a plan that is not blocked any more turns the condition back', () => {
  const blocked = { rule: 'r', evidence: 'e', action: 'a' };
  const before = written(statusAfter({}, decided({ status: undefined, blocked }), early));
  const condition = conditionOf(statusAfter(before, running, late), 'Blocked');
  assert.deepEqual([condition?.status, condition?.lastTransitionTime], ['False', late]);
});

test('an answer that no retry changes blocks, one that may pass says nothing about it', () => {
  const refused = { code: 'KUBE_REFUSED', message: 'no such field', retryable: false };
  const condition = conditionOf(
    statusAfter({}, decided({ status: { conditions: [] } }, { error: refused }), early),
    'Blocked',
  );
  assert.deepEqual([condition?.status, condition?.reason], ['True', 'Refused']);
  assert.match(
    condition?.message ?? '',
    /^Rule: .+\. Evidence: no such field\. Since: .+\. What you can do: .+\.$/,
  );
  const passing = { code: 'KUBE_UNREACHABLE', message: 'timed out', retryable: true };
  assert.equal(statusAfter({}, decided(undefined, { error: passing }), early), undefined);
  const during = statusAfter({}, decided({ status: { conditions: [] } }, { error: passing }), early);
  assert.equal(conditionOf(during, 'Blocked'), undefined);
});

test('who refused a write is named: a quota, a rule of the cluster, or a webhook, also one that only cannot be asked', () => {
  const refusals = [
    ['KUBE_QUOTA_EXCEEDED', false, 'QuotaExceeded', /raise the named ResourceQuota/],
    ['KUBE_ADMISSION_REFUSED', false, 'AdmissionRefused', /named webhook, limit range or security policy/],
    ['KUBE_WEBHOOK_FAILED', true, 'WebhookFailed', /bring the named webhook back/],
  ] as const;
  for (const [code, retryable, reason, action] of refusals) {
    const error = { code, message: 'the words of the API', retryable };
    const next = statusAfter({}, decided({ status: { conditions: [] } }, { error }), early);
    const condition = conditionOf(next, 'Blocked');
    assert.deepEqual([condition?.status, condition?.reason], ['True', reason]);
    assert.match(condition?.message ?? '', /Evidence: the words of the API\./);
    assert.match(condition?.message ?? '', action);
  }
});

test('a decision about no resource, or one that could not read the world, writes nothing', () => {
  const { resource: _, ...about } = running;
  assert.equal(statusAfter({}, about, early), undefined);
  assert.equal(statusAfter({}, decided({ reason: 'Unreadable', status: undefined }), early), undefined);
});

test('a new generation is noted even if nothing else changed', () => {
  const before = written(statusAfter({}, running, early));
  const next = statusAfter(
    before,
    { ...running, resource: { uid: 'u', generation: 3, resourceVersion: '10' } },
    late,
  );
  assert.equal(written(next)['observedGeneration'], 3);
  assert.equal(conditionOf(next, 'Available')?.lastUpdateTime, early);
});

test('a field that the next status leaves out is removed, and no other is touched', () => {
  const before = written(statusAfter({}, running, early));
  const next = written(statusAfter({ ...before, reason: 'quorum was lost' }, running, late));
  const patch = statusPatch({ ...before, reason: 'quorum was lost' }, next);
  assert.equal(patch['reason'], null);
  assert.deepEqual({ ...patch, reason: undefined }, { ...next, reason: undefined });
});

const refused = decided(undefined, { error: { code: 'KUBE_REFUSED', message: 'no', retryable: false } });
const passing = { code: 'KUBE_UNREACHABLE', message: 'timed out', retryable: true };
const interrupted = decided(
  { status: { phase: 'Growing', conditions: [available('False')] } },
  { error: passing },
);
const lost = decided(
  { status: { conditions: [] } },
  { error: { code: 'TASK_LOST', message: '', retryable: true } },
);

test('a decision says everything of a status, a part, or nothing', () => {
  assert.equal(shareOf(running), 'everything');
  assert.equal(shareOf(refused), 'a part');
  assert.equal(shareOf(interrupted), 'a part');
  const { resource: _, ...about } = running;
  for (const silent of [lost, about, decided(undefined, { error: passing })]) {
    assert.equal(shareOf(silent), 'nothing');
  }
});

test('of decisions in their order, the status has what each part was last said to be, as if each had been written', () => {
  const kinds = [running, refused, interrupted, lost];
  const start = written(statusAfter({}, decided({ status: { phase: 'New', conditions: [] } }), early));
  for (const one of kinds) {
    for (const two of kinds) {
      for (const three of kinds) {
        const at = (generation: number, decision: Decision) => ({
          ...decision,
          resource: { uid: 'u', generation, resourceVersion: '9' },
        });
        const decisions = [at(3, one), at(4, two), at(5, three)];
        const atOnce = nextStatus(start, decisions, early) ?? start;
        const oneByOne = decisions.reduce(
          (status, each) => statusAfter(status, each, early) ?? status,
          start,
        );
        assert.deepEqual(atOnce, oneByOne);
      }
    }
  }
});
