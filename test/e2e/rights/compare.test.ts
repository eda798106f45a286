import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { type AuditedRequest, compareRights, type Right } from './compare.ts';

const right = (verb: string, resource = 'pods', apiGroup = ''): Right => ({
  account: 'worker',
  apiGroup,
  resource,
  verb,
});
const request = (verb: string, resource = 'pods', more: Partial<AuditedRequest> = {}): AuditedRequest => ({
  ...right(verb, resource),
  allowed: true,
  code: 200,
  ...more,
});

describe('rights compared with an audit log', () => {
  test('rights that are all used, and requests that were all allowed, are in order', () => {
    assert.deepEqual(compareRights([right('get')], [request('get'), request('get')], []), []);
  });

  test('a request that was forbidden names the right that is missing, once', () => {
    const asked = request('delete', 'pods', { allowed: false, code: 403 });
    assert.deepEqual(compareRights([right('get')], [request('get'), asked, asked], []), [
      'is missing: worker may delete pods',
    ]);
  });

  test('a request that was refused for another reason than rights has used its right', () => {
    const refused = request('create', 'pods', { code: 403 });
    assert.deepEqual(compareRights([right('create')], [refused], []), []);
  });

  test('a right that no request used is named with its API group', () => {
    assert.deepEqual(compareRights([right('get', 'leases', 'coordination.k8s.io')], [], []), [
      'was never used: worker may get leases.coordination.k8s.io',
    ]);
  });

  test('the same verb of another account, resource or group is no use', () => {
    const others = [
      { ...request('get'), account: 'watcher' },
      request('get', 'pods/status'),
      { ...request('get'), apiGroup: 'metrics.k8s.io' },
    ];
    assert.deepEqual(compareRights([right('get')], others, []), ['was never used: worker may get pods']);
  });

  test('an apply that created its object has used the right to create', () => {
    const granted = [right('patch'), right('create')];
    assert.deepEqual(compareRights(granted, [request('patch', 'pods', { code: 201 })], []), []);
    assert.deepEqual(compareRights(granted, [request('patch')], []), [
      'was never used: worker may create pods',
    ]);
  });

  test('a dormant right need not be used, but must be given', () => {
    const dormant = [{ ...right('update'), reason: 'other API servers ask for it' }];
    assert.deepEqual(compareRights([right('update')], [], dormant), []);
    assert.deepEqual(compareRights([right('update')], [request('update')], dormant), []);
    assert.deepEqual(compareRights([], [], dormant), ['is not given any more: worker may update pods']);
  });
});
