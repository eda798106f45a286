import * as models from '@kubernetes/client-node/dist/gen/models/all.js';

export interface ModelField {
  /** As in the JSON. */
  name: string;
  /** `string`, `number`, `boolean`, `any`, `Date`, `Array<…>`, `{ [key: string]: …; }` or the name of a model. */
  type: string;
  /** `int32`, `int-or-string`, `byte`, … or empty. */
  format: string;
}

/** The fields of one of Kubernetes' own types by its name in the client library, e.g. `V1PodSpec`. */
export function modelFields(model: string): ModelField[] | undefined {
  const known: unknown = (models as Record<string, unknown>)[model];
  if (typeof known !== 'function' || !('getAttributeTypeMap' in known)) return undefined;
  const { attributeTypeMap } = known as unknown as {
    attributeTypeMap: { baseName: string; type: string; format: string }[];
  };
  return attributeTypeMap.map(({ baseName, type, format }) => ({ name: baseName, type, format }));
}
