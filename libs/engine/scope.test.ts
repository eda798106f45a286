import assert from 'node:assert/strict';
import { test } from 'node:test';
import { z } from 'zod';
import type { ResourceDefinition } from '../kube/definition.ts';
import { leftAlone, type Scope } from './scope.ts';

const definition: ResourceDefinition = {
  ...{ group: 'test.quorate.io', version: 'v1', kind: 'Example', plural: 'examples', singular: 'example' },
  ...{ shortNames: [], description: '', spec: z.object({}), status: z.object({}), printerColumns: [] },
};
const clusterWide = { annotation: 'example.com/scope', value: 'clusterwide' };

const scopes: Record<string, Scope> = {
  'given namespaces': { namespaces: ['a', 'b'], annotatedOnly: false },
  'every namespace': { annotatedOnly: false },
  'annotated ones': { annotatedOnly: true },
};

/** Which scopes a resource with this annotation is in. */
function ours(scope: string | undefined, resource = { ...definition, clusterWide }): string[] {
  const annotations = scope === undefined ? {} : { 'example.com/scope': scope };
  const object = { apiVersion: 'v1', kind: 'Any', metadata: { name: 'a', namespace: 'a', annotations } };
  return Object.keys(scopes).filter(
    (name) => leftAlone(scopes[name] ?? assert.fail(), resource, object) === undefined,
  );
}

test('the annotation sends a resource from operators of namespaces to those of all, as it always has', () => {
  assert.deepEqual(ours(undefined), ['given namespaces', 'every namespace']);
  assert.deepEqual(ours('clusterwide'), ['every namespace', 'annotated ones']);
  // The original operator takes no notice of any other value, in whatever way it runs.
  assert.deepEqual(ours('namespace'), ['every namespace']);
});

test('an engine without such an annotation leaves nothing to anybody', () => {
  const object = { apiVersion: 'v1', kind: 'Example', metadata: { name: 'a' } };
  for (const scope of Object.values(scopes)) assert.equal(leftAlone(scope, definition, object), undefined);
});
