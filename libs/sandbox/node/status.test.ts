import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ContainerState, ContainerStatus } from './spec.ts';
import { type PodView, podStatus } from './status.ts';

const running: ContainerState = { running: { startedAt: 't' } };
const waiting: ContainerState = { waiting: { reason: 'ContainerCreating' } };
const ended = (exitCode: number): ContainerState => ({
  terminated: { exitCode, reason: 'x', startedAt: 't', finishedAt: 't', containerID: '' },
});

function container(state: ContainerState, ready = false, lastState: ContainerState = {}): ContainerStatus {
  return { name: 'c', image: '', imageID: '', ready, started: true, restartCount: 0, state, lastState };
}

const phaseOf = (
  restartPolicy: 'Always' | 'OnFailure' | 'Never',
  containers: ContainerStatus[],
  initContainers: ContainerStatus[] = [],
) => podStatus({}, { restartPolicy, containers, initContainers }, 'now').phase;

test('the phase follows the containers and the restart policy', () => {
  assert.equal(phaseOf('Always', [container(waiting)]), 'Pending');
  assert.equal(phaseOf('Always', [container(running)]), 'Running');
  assert.equal(phaseOf('Always', [container(running), container(waiting)]), 'Pending');
  assert.equal(phaseOf('Always', [container(waiting, false, ended(1))]), 'Running', 'it ran before');
  assert.equal(phaseOf('Always', [container(ended(0))]), 'Running');
  assert.equal(phaseOf('Never', [container(ended(0)), container(ended(1))]), 'Failed');
  assert.equal(phaseOf('Never', [container(ended(1)), container(running)]), 'Running');
  assert.equal(phaseOf('OnFailure', [container(ended(1))]), 'Running');
  assert.equal(phaseOf('OnFailure', [container(ended(0))]), 'Succeeded');
});

test('a pod stays pending until its init containers have succeeded', () => {
  assert.equal(phaseOf('Always', [container(waiting)], [container(running)]), 'Pending');
  assert.equal(phaseOf('Always', [container(waiting)], [container(ended(1))]), 'Pending');
  assert.equal(phaseOf('Never', [container(waiting)], [container(ended(1))]), 'Failed');
  assert.equal(phaseOf('Never', [container(running)], [container(ended(0))]), 'Running');
});

test('a condition keeps its time until its status changes, and foreign ones stay', () => {
  const viewOf = (only: ContainerStatus): PodView => ({
    restartPolicy: 'Always',
    initContainers: [],
    containers: [only],
  });
  const foreign = { type: 'Foreign', status: 'True' } as const;
  const first = podStatus({ conditions: [foreign] }, viewOf(container(running)), 't1');
  const same = podStatus(first, viewOf(container(running)), 't2');
  assert.deepEqual(same, first);
  const ready = podStatus(first, viewOf(container(running, true)), 't3').conditions ?? [];
  const timeOf = (type: string) => ready.find((each) => each.type === type)?.lastTransitionTime;
  assert.deepEqual([timeOf('Ready'), timeOf('Initialized')], ['t3', 't1']);
  assert.ok(ready.includes(foreign));
});
