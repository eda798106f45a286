import type { KubeObject } from '../../kube/object.ts';
import type { StatusCause } from '../status.ts';

const label = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/;
const serviceLabel = /^[a-z]([-a-z0-9]*[a-z0-9])?$/;
const subdomain = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/;
const qualifiedName = /^([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]$/;

/** Of all annotations of an object together, keys and values. */
const mostAnnotationBytes = 256 * 1024;

const wanted = {
  label:
    "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with " +
    "an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is " +
    "'[a-z0-9]([-a-z0-9]*[a-z0-9])?')",
  service:
    "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic character, " +
    "and end with an alphanumeric character (e.g. 'my-name',  or 'abc-123', regex used for validation is " +
    "'[a-z]([-a-z0-9]*[a-z0-9])?')",
  subdomain:
    "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and " +
    "end with an alphanumeric character (e.g. 'example.com', regex used for validation is " +
    "'[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')",
  labelValue:
    "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and " +
    "end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used for validation is " +
    "'(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')",
  qualifiedName:
    "name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric " +
    "character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is " +
    "'([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')",
};

export const wrong = (field: string, value: unknown, why: string): StatusCause => ({
  reason: 'FieldValueInvalid',
  message: `Invalid value: ${JSON.stringify(value)}: ${why}`,
  field,
});

export const missing = (field: string, why?: string): StatusCause => ({
  reason: 'FieldValueRequired',
  message: why === undefined ? 'Required value' : `Required value: ${why}`,
  field,
});

/** What is wrong with an object's name, labels, annotations and owners, whatever its kind. */
export function checkMetadata({ kind, metadata }: KubeObject): StatusCause[] {
  const found = checkName(kind, metadata.name);
  for (const [key, value] of Object.entries(metadata.labels ?? {})) {
    found.push(...checkKey('metadata.labels', key));
    if (value.length > 63) found.push(wrong('metadata.labels', value, 'must be no more than 63 characters'));
    else if (value !== '' && !qualifiedName.test(value)) {
      found.push(wrong('metadata.labels', value, wanted.labelValue));
    }
  }
  const annotations = Object.entries(metadata.annotations ?? {}).flat();
  const bytes = annotations.reduce((sum, text) => sum + Buffer.byteLength(text), 0);
  if (bytes > mostAnnotationBytes) {
    const message = `Too long: may not be more than ${mostAnnotationBytes} bytes`;
    found.push({ reason: 'FieldValueTooLong', message, field: 'metadata.annotations' });
  }
  for (const key of Object.keys(metadata.annotations ?? {})) {
    found.push(...checkKey('metadata.annotations', key.toLowerCase()));
  }
  for (const [index, owner] of (metadata.ownerReferences ?? []).entries()) {
    for (const field of ['apiVersion', 'kind', 'name', 'uid'] as const) {
      const at = `metadata.ownerReferences[${index}].${field}`;
      if (!owner[field]) found.push(wrong(at, owner[field] ?? '', `${field} must not be empty`));
    }
  }
  const controllers = (metadata.ownerReferences ?? []).filter((owner) => owner.controller);
  if (controllers.length > 1) {
    const why = 'Only one reference can have Controller set to true';
    found.push(wrong('metadata.ownerReferences', metadata.ownerReferences, why));
  }
  for (const finalizer of metadata.finalizers ?? [])
    found.push(...checkKey('metadata.finalizers', finalizer));
  return found;
}

function checkName(kind: string, name: string): StatusCause[] {
  if (!name) return [missing('metadata.name', 'name or generateName is required')];
  const at = 'metadata.name';
  if (kind === 'Namespace' || kind === 'Service') {
    if (name.length > 63) return [wrong(at, name, 'must be no more than 63 characters')];
    const [pattern, why] = kind === 'Service' ? [serviceLabel, wanted.service] : [label, wanted.label];
    return pattern.test(name) ? [] : [wrong(at, name, why)];
  }
  if (name.length > 253) return [wrong(at, name, 'must be no more than 253 characters')];
  return subdomain.test(name) ? [] : [wrong(at, name, wanted.subdomain)];
}

function checkKey(field: string, key: string): StatusCause[] {
  const parts = key.split('/');
  const name = parts.pop() ?? '';
  const [prefix] = parts;
  if (parts.length > 1) return [wrong(field, key, 'a qualified name has at most one /')];
  if (prefix !== undefined && !subdomain.test(prefix))
    return [wrong(field, key, `prefix part ${wanted.subdomain}`)];
  if (name.length > 63) return [wrong(field, key, 'name part must be no more than 63 characters')];
  return qualifiedName.test(name) ? [] : [wrong(field, key, wanted.qualifiedName)];
}

/** Whether a text may name a container, a port or a volume: an RFC 1123 label. */
export function checkLabelName(field: string, name: unknown): StatusCause[] {
  if (typeof name !== 'string' || name === '') return [missing(field)];
  if (name.length > 63) return [wrong(field, name, 'must be no more than 63 characters')];
  return label.test(name) ? [] : [wrong(field, name, wanted.label)];
}
