import type { KubeObject } from '../../../kube/object.ts';
import { isObject, objectOf, without } from '../json.ts';
import { wrong } from '../metadata.ts';
import type { KindRules } from './rules.ts';

/** `stringData` is written for convenience and kept as `data`. */
export const secretRules: KindRules = {
  prepare: (secret) => {
    const typed: KubeObject = { type: 'Opaque', ...secret };
    if (!isObject(secret['stringData'])) return typed;
    const encoded = Object.entries(secret['stringData']).map(([key, value]) => [
      key,
      Buffer.from(String(value)).toString('base64'),
    ]);
    const data = { ...objectOf(secret['data']), ...Object.fromEntries(encoded) };
    return { ...without(typed, 'stringData'), data };
  },
  validate: (secret, old) => {
    const changed = JSON.stringify(old?.['data']) !== JSON.stringify(secret['data']);
    const found =
      old?.['immutable'] && changed
        ? [
            {
              reason: 'FieldValueForbidden',
              message: 'Forbidden: field is immutable when `immutable` is set',
              field: 'data',
            },
          ]
        : [];
    if (old && old['type'] !== secret['type'])
      found.push(wrong('type', secret['type'], 'field is immutable'));
    return found;
  },
};
