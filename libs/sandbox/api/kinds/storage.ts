import { isDeepStrictEqual } from 'node:util';
import type { KubeObject } from '../../../kube/object.ts';
import type { StatusCause } from '../../status.ts';
import { listOf, objectOf, valueAt, without } from '../json.ts';
import { missing } from '../metadata.ts';
import type { KindRules } from './rules.ts';

export const claimProtection = 'kubernetes.io/pvc-protection';

/** A claim is protected while a pod uses it, and asks for the same storage for ever (it may only grow). */
export const claimRules: KindRules = {
  prepare: (claim) => ({ ...claim, spec: { volumeMode: 'Filesystem', ...objectOf(claim['spec']) } }),
  validate: validateClaim,
  onCreate: (claim) => {
    const finalizers = [...new Set([...(claim.metadata.finalizers ?? []), claimProtection])];
    return { ...claim, metadata: { ...claim.metadata, finalizers }, status: { phase: 'Pending' } };
  },
};

function validateClaim(claim: KubeObject, old: KubeObject | undefined): StatusCause[] {
  const spec = objectOf(claim['spec']);
  const found: StatusCause[] = [];
  if (listOf(spec['accessModes']).length === 0) {
    found.push(missing('spec.accessModes', 'at least 1 access mode is required'));
  }
  if (valueAt(spec, 'resources', 'requests', 'storage') === undefined)
    found.push(missing('spec.resources[storage]'));
  const before = objectOf(old?.['spec']);
  const fixed = (given: object) =>
    without(given, 'resources', ...(before['volumeName'] ? [] : ['volumeName']));
  if (old && !isDeepStrictEqual(fixed(spec), fixed(before))) {
    const message =
      'Forbidden: spec is immutable after creation except resources.requests and volumeAttributesClassName for bound claims';
    found.push({ reason: 'FieldValueForbidden', message, field: 'spec' });
  }
  return found;
}

export const storageClassRules: KindRules = {
  prepare: (object) => ({ reclaimPolicy: 'Delete', volumeBindingMode: 'Immediate', ...object }),
  validate: (object) => (object['provisioner'] ? [] : [missing('provisioner')]),
};
