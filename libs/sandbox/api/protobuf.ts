import protobuf from 'protobufjs';
import { unsupportedMediaType } from './patch.ts';

export const protobufType = 'application/vnd.kubernetes.protobuf';

/** Field numbers from the Kubernetes API's published protobuf definitions, for what `kubectl create` sends so. */
const types = protobuf.Root.fromJSON({
  nested: {
    Envelope: { fields: { type: { id: 1, type: 'TypeMeta' }, raw: { id: 2, type: 'bytes' } } },
    TypeMeta: { fields: { apiVersion: text(1), kind: text(2) } },
    ObjectMeta: {
      fields: {
        name: text(1),
        generateName: text(2),
        namespace: text(3),
        labels: textMap(11),
        annotations: textMap(12),
      },
    },
    Namespace: { fields: { metadata: metadata() } },
    ServiceAccount: { fields: { metadata: metadata() } },
    ConfigMap: {
      fields: {
        metadata: metadata(),
        data: textMap(2),
        binaryData: bytesMap(3),
        immutable: { id: 4, type: 'bool' },
      },
    },
    Secret: {
      fields: {
        metadata: metadata(),
        data: bytesMap(2),
        type: text(3),
        stringData: textMap(4),
        immutable: { id: 5, type: 'bool' },
      },
    },
    IntOrString: {
      fields: { type: { id: 1, type: 'int64' }, intVal: { id: 2, type: 'int32' }, strVal: text(3) },
    },
    ServicePort: {
      fields: {
        name: text(1),
        protocol: text(2),
        port: { id: 3, type: 'int32' },
        targetPort: { id: 4, type: 'IntOrString' },
      },
    },
    ServiceSpec: {
      fields: {
        ports: { id: 1, rule: 'repeated', type: 'ServicePort' },
        selector: textMap(2),
        clusterIP: text(3),
        type: text(4),
        externalName: text(10),
      },
    },
    Service: { fields: { metadata: metadata(), spec: { id: 2, type: 'ServiceSpec' } } },
    SelfSubjectAccessReview: { fields: {} },
  },
});

function text(id: number): { id: number; type: string } {
  return { id, type: 'string' };
}
function textMap(id: number): protobuf.IMapField {
  return { id, keyType: 'string', type: 'string' };
}
function bytesMap(id: number): protobuf.IMapField {
  return { id, keyType: 'string', type: 'bytes' };
}
function metadata(): { id: number; type: string } {
  return { id: 1, type: 'ObjectMeta' };
}

/**
 * Reads the protobuf that `kubectl create namespace|secret|configmap|serviceaccount|service` insists on sending, as
 * the same object in JSON. Any other kind is refused with UnsupportedMediaType, as the API does for custom resources.
 */
export function decodeProtobuf(body: Buffer): unknown {
  // The first four bytes are the format's magic number, `k8s\0`.
  const envelope = types.lookupType('Envelope').decode(body.subarray(4)).toJSON();
  const { apiVersion, kind } = envelope['type'] as { apiVersion?: string; kind?: string };
  if (!kind || !types.nested?.[kind]) throw unsupportedMediaType(protobufType);
  const raw = Buffer.from(String(envelope['raw'] ?? ''), 'base64');
  const object = types.lookupType(kind).decode(raw).toJSON();
  return { apiVersion, kind, ...withoutEmpty(object), ...(kind === 'Service' ? servicePorts(object) : {}) };
}

/** Protobuf cannot tell an empty text from an absent one. */
function withoutEmpty(value: unknown): object {
  const entries = Object.entries(value as object).filter(([, inner]) => inner !== '');
  return Object.fromEntries(
    entries.map(([field, inner]) => [field, isPlain(inner) ? withoutEmpty(inner) : inner]),
  );
}

const isPlain = (value: unknown): boolean =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

function servicePorts(service: { [field: string]: unknown }): object {
  const spec = service['spec'] as { ports?: { targetPort?: { intVal?: number; strVal?: string } }[] };
  const ports = (spec.ports ?? []).map(({ targetPort, ...port }) => ({
    ...withoutEmpty(port),
    ...(targetPort ? { targetPort: targetPort.strVal || targetPort.intVal } : {}),
  }));
  return { spec: { ...withoutEmpty(spec), ports } };
}
