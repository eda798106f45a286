import type { KubeObject } from '../../kube/object.ts';
import { badRequest } from '../status.ts';
import { type JsonObject, listOf, objectOf, valueAt } from './json.ts';

export type Matches = (object: KubeObject) => boolean;

const longestLabelValue = 63;
const labelKey = `[A-Za-z0-9](?:[-A-Za-z0-9_./]*[A-Za-z0-9])?`;
const labelValue = `(?:[A-Za-z0-9](?:[-A-Za-z0-9_.]*[A-Za-z0-9])?)?`;
const requirement = new RegExp(
  String.raw`^\s*(?:(?<absent>!)\s*)?(?<key>${labelKey})\s*` +
    String.raw`(?:(?<op>==|=|!=)\s*(?<value>${labelValue})|(?<set>in|notin)\s*\((?<values>[^()]*)\))?\s*$`,
);

/** A label selector as in `?labelSelector=`; throws BadRequest where it is none. */
export function parseLabelSelector(text: string): Matches {
  const checks = splitOutsideParentheses(text).map(parseRequirement);
  return (object) => checks.every((check) => check(object.metadata.labels ?? {}));
}

function parseRequirement(text: string): (labels: Record<string, string>) => boolean {
  const parts = requirement.exec(text)?.groups;
  const key = parts?.['key'];
  if (!parts || !key)
    throw badRequest(`unable to parse requirement: couldn't parse the selector string "${text}"`);
  const { absent, op, value = '', set, values } = parts;
  if ([value, ...(values ?? '').split(',')].some((each) => each.trim().length > longestLabelValue)) {
    throw badRequest(`unable to parse requirement: a value of "${text}" must be no more than 63 characters`);
  }
  if (absent) return (labels) => labels[key] === undefined;
  if (set) {
    const allowed = new Set((values ?? '').split(',').map((item) => item.trim()));
    return (labels) =>
      allowed.has(labels[key] ?? '') === (set === 'in') && (set === 'notin' || key in labels);
  }
  if (op === '!=') return (labels) => labels[key] !== value;
  if (op) return (labels) => labels[key] === value;
  return (labels) => labels[key] !== undefined;
}

function splitOutsideParentheses(text: string): string[] {
  return text.split(/,(?![^(]*\))/).filter((part) => part.trim() !== '');
}

/** The fields that may be selected by, beside name and namespace, which every kind has. */
const selectable: Record<string, string[]> = {
  Pod: ['spec.nodeName', 'spec.restartPolicy', 'spec.serviceAccountName', 'status.phase', 'status.podIP'],
  Event: [
    'involvedObject.kind',
    'involvedObject.namespace',
    'involvedObject.name',
    'involvedObject.uid',
    'involvedObject.apiVersion',
    'involvedObject.resourceVersion',
    'involvedObject.fieldPath',
    'reason',
    'reportingComponent',
    'source',
    'type',
  ],
  Namespace: ['status.phase'],
  Secret: ['type'],
  Node: ['spec.unschedulable'],
};

/** A field selector as in `?fieldSelector=`; throws BadRequest for a field that the kind does not offer. */
export function parseFieldSelector(text: string, kind: string): Matches {
  const checks = text
    .split(',')
    .filter((part) => part !== '')
    .map((part): Matches => {
      const parts = /^([^=!]+)(==|=|!=)(.*)$/.exec(part);
      const [, field, op, value] = parts ?? [];
      if (!field || value === undefined) throw badRequest(`invalid field selector: "${part}"`);
      if (!['metadata.name', 'metadata.namespace', ...(selectable[kind] ?? [])].includes(field)) {
        throw badRequest(`field label not supported: ${field}`);
      }
      const path = field.split('.');
      return (object) => (String(valueAt(object, ...path) ?? '') === value) === (op !== '!=');
    });
  return (object) => checks.every((check) => check(object));
}

/** Whether a `LabelSelector` of an object's spec chooses the other object; an empty one chooses all. */
export function matchesLabels(selector: unknown, { metadata: { labels = {} } }: KubeObject): boolean {
  const { matchLabels, matchExpressions } = objectOf(selector);
  const equal = Object.entries(objectOf(matchLabels)).every(([label, value]) => labels[label] === value);
  return equal && listOf(matchExpressions).map(objectOf).every(holds);

  function holds({ key, operator, values }: JsonObject): boolean {
    const value = labels[String(key)];
    if (operator === 'Exists') return value !== undefined;
    if (operator === 'DoesNotExist') return value === undefined;
    const isListed = value !== undefined && listOf(values).includes(value);
    return operator === 'In' ? isListed : !isListed;
  }
}
