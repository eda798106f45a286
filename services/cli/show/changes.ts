import type { Decision } from '../../../libs/engine/decision.ts';
import type { ClusterView } from './cluster.ts';
import type { Paint } from './paint.ts';

/** What changed between two views of all clusters, one line each: phases, members, conditions. Pure. */
export function changeLines(before: readonly ClusterView[], after: readonly ClusterView[]): string[] {
  const earlier = new Map(before.map((cluster) => [cluster.key, cluster]));
  const later = new Set(after.map((cluster) => cluster.key));
  return [
    ...after.flatMap((cluster) => clusterChanges(earlier.get(cluster.key), cluster)),
    ...before.filter(({ key }) => !later.has(key)).map(({ key }) => `${key}: gone`),
  ];
}

function clusterChanges(before: ClusterView | undefined, after: ClusterView): string[] {
  const lines: string[] = [];
  const say = (text: string) => lines.push(`${after.key}: ${text}`);
  for (const member of after.members) {
    const was = before?.members.find(({ name }) => name === member.name);
    if (was?.state === member.state && was.role === member.role) continue;
    const role = member.role === '' ? '' : `, ${member.role}`;
    say(`member ${member.number ?? '?'} ${member.name} ${member.state}${role}`);
  }
  for (const member of before?.members ?? []) {
    if (!after.members.some(({ name }) => name === member.name)) say(`member ${member.name} gone`);
  }
  for (const note of after.notes) {
    const was = before?.notes.find(({ type }) => type === note.type);
    if (was?.message !== note.message) say(`${note.type}: ${note.message}`);
  }
  if (before?.phase !== after.phase) say(`phase ${after.phase}`);
  if (after.settled && !before?.settled) {
    const ready = after.members.filter((member) => member.ready).length;
    say(`Available, ${ready} of ${after.wanted ?? ready} members ready`);
  }
  return lines;
}

/** The steps of a pass that did or tried something, one line each with its why, and what ended it early. Pure. */
export function stepLines(decision: Decision, paint: Paint): string[] {
  const lines = decision.steps.flatMap(({ step, outcome, why, detail }) => {
    const text = `${decision.key}: ${capitalized(step)}: ${why}`;
    if (outcome === 'done') return [`${paint('green', '✔')} ${text}${detail ? ` (${detail})` : ''}`];
    if (outcome === 'moved') return [`${paint('yellow', '↻')} ${text}; looking again: ${detail ?? ''}`];
    if (outcome === 'failed') return [`${paint('red', '✘')} ${text}; failed: ${detail ?? ''}`];
    return [];
  });
  const { error } = decision;
  if (error && !decision.steps.some(({ outcome }) => outcome === 'failed')) {
    lines.push(`${paint('red', '✘')} ${decision.key}: ${error.message}`);
  }
  return lines;
}

/** As the step is called in the Kubernetes Events, too. */
const capitalized = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1);
