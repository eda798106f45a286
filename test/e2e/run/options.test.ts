import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { readOptions } from './options.ts';

const kube = { KUBECONFIG: '/etc/kubeconfig' };

describe('the options of the end-to-end tests', () => {
  test('without KUBECONFIG Quorate runs on this machine, with it in the cluster', () => {
    assert.equal(readOptions([], {}).operator, 'machine');
    assert.equal(readOptions([], kube).operator, 'cluster');
    assert.equal(readOptions(['--operator', 'machine'], kube).operator, 'machine');
  });

  test('an empty KUBECONFIG is none', () => {
    assert.equal(readOptions([], { KUBECONFIG: '' }).kubeconfig, undefined);
  });

  test('values reach helm in an order in which --set wins over files', () => {
    const { helmArguments } = readOptions(['--set', 'a=1', '--values', 'v.yaml', '--set', 'b=2'], kube);
    assert.deepEqual(helmArguments, ['--values', 'v.yaml', '--set', 'a=1', '--set', 'b=2']);
  });

  test('what cannot be is refused with what to do', () => {
    assert.throws(() => readOptions(['--operator', 'elsewhere'], kube), /machine or cluster, not elsewhere/);
    assert.throws(() => readOptions(['--operator', 'cluster'], {}), /set KUBECONFIG/);
    assert.throws(() => readOptions(['--audit-log', 'a', '--operator', 'machine'], kube), /in the cluster/);
    assert.throws(() => readOptions(['--onyl', 'scale'], kube), /onyl/);
  });
});
