import { createReadStream } from 'node:fs';
import { createInterface } from 'node:readline';
import type { KubeObject } from '../../../libs/kube/object.ts';
import type { Kubectl } from '../bench/kubectl.ts';
import type { AuditedRequest, Right } from './compare.ts';

interface PolicyRule {
  apiGroups?: string[];
  resources?: string[];
  verbs?: string[];
}

interface Binding extends KubeObject {
  roleRef: { kind: string; name: string };
  subjects?: { kind: string; namespace?: string; name: string }[];
}

/** What the bound roles of the chart give to the service accounts of a namespace. */
export async function readRights(kubectl: Kubectl, namespace: string): Promise<Right[]> {
  const kinds = ['clusterroles', 'roles', 'clusterrolebindings', 'rolebindings'].join(',');
  const objects = await kubectl.list(kinds, '--all-namespaces', '-l', 'app.kubernetes.io/name=quorate');
  const roles = objects.filter(({ kind }) => kind === 'ClusterRole' || kind === 'Role');
  const bindings = objects.filter(({ kind }) => kind?.endsWith('Binding')) as Binding[];
  return bindings.flatMap(({ metadata, roleRef, subjects = [] }) => {
    const role = roles.find(
      (each) =>
        each.kind === roleRef.kind &&
        each.metadata.name === roleRef.name &&
        (each.kind === 'ClusterRole' || each.metadata.namespace === metadata.namespace),
    );
    const rules = (role?.['rules'] ?? []) as PolicyRule[];
    const accounts = subjects.filter(
      (each) => each.kind === 'ServiceAccount' && each.namespace === namespace,
    );
    return accounts.flatMap(({ name }) => rules.flatMap((rule) => rightsOf(name, rule)));
  });
}

function rightsOf(account: string, { apiGroups = [], resources = [], verbs = [] }: PolicyRule): Right[] {
  return apiGroups.flatMap((apiGroup) =>
    resources.flatMap((resource) => verbs.map((verb) => ({ account, apiGroup, resource, verb }))),
  );
}

/** An entry of an audit log of the API server in its JSON format (audit.k8s.io/v1). */
interface AuditEvent {
  verb: string;
  user: { username: string };
  objectRef?: { apiGroup?: string; resource?: string; subresource?: string };
  responseStatus?: { code?: number };
  annotations?: Record<string, string>;
}

/** The requests for objects that the service accounts of a namespace have sent, as an audit log has them. */
export async function readAuditLog(path: string, namespace: string): Promise<AuditedRequest[]> {
  const prefix = `system:serviceaccount:${namespace}:`;
  const requests: AuditedRequest[] = [];
  for await (const line of createInterface({ input: createReadStream(path) })) {
    if (!line.includes(prefix)) continue;
    const { verb, user, objectRef, responseStatus, annotations } = JSON.parse(line) as AuditEvent;
    const decision = annotations?.['authorization.k8s.io/decision'];
    // Discovery and health have no object, and are everybody's right. Before it is decided, nothing is used.
    if (!objectRef?.resource || decision === undefined || !user.username.startsWith(prefix)) continue;
    const { apiGroup = '', resource, subresource } = objectRef;
    requests.push({
      account: user.username.slice(prefix.length),
      apiGroup,
      resource: subresource === undefined ? resource : `${resource}/${subresource}`,
      verb,
      allowed: decision === 'allow',
      code: responseStatus?.code,
    });
  }
  return requests;
}
