import { blockedLines } from '../../../libs/engine/blocked.ts';
import type { ClusterView, MemberView } from './cluster.ts';
import type { Paint } from './paint.ts';

/** Clusters with their members, aligned, as lines of text. Pure. */
export function clusterLines(clusters: readonly ClusterView[], paint: Paint): string[] {
  return clusters.flatMap((cluster, index) => [...(index > 0 ? [''] : []), ...oneCluster(cluster, paint)]);
}

function oneCluster(cluster: ClusterView, paint: Paint): string[] {
  const ready = cluster.members.filter((member) => member.ready).length;
  const head = [
    paint('bold', cluster.key),
    paint(colourOf(cluster), cluster.phase),
    `${ready} of ${cluster.wanted ?? cluster.members.length} ready`,
    ...(cluster.version ? [`version ${cluster.version}`] : []),
  ].join('  ');
  return [head, ...memberLines(cluster.members, paint), ...doing(cluster, paint)];
}

function colourOf({ phase, settled }: ClusterView) {
  if (phase === 'Failed') return 'red';
  return settled ? 'green' : 'yellow';
}

function memberLines(members: readonly MemberView[], paint: Paint): string[] {
  const rows = members.map((member) => [
    `#${member.number ?? '?'}`,
    member.name,
    member.state,
    member.role,
    member.address,
    member.restarts > 0 ? `${member.restarts} ${member.restarts === 1 ? 'restart' : 'restarts'}` : '',
  ]);
  return align(rows).map((cells, index) => {
    const isReady = members[index]?.ready === true;
    return `  ${cells.map((cell, column) => (column === 2 ? paint(isReady ? 'green' : 'yellow', cell) : cell)).join('  ')}`.trimEnd();
  });
}

/** The conditions that hold; where none does and it is not well yet, what the last pass found. */
function doing({ notes, settled, lastPass }: ClusterView, paint: Paint): string[] {
  if (notes.length > 0) {
    return notes.flatMap(({ type, message, blocked }) => {
      const name = paint(type === 'Blocked' ? 'red' : 'yellow', type);
      return blocked
        ? [`  ${name}:`, ...blockedLines(blocked).map((line) => `    ${line}`)]
        : [`  ${name}: ${message}`];
    });
  }
  if (settled || !lastPass?.message) return [];
  return [`  ${paint('yellow', lastPass.reason)}: ${lastPass.message}`];
}

/** Pads every cell to the width of its column. */
export function align(rows: readonly string[][]): string[][] {
  const columns = rows[0]?.length ?? 0;
  const widths = Array.from({ length: columns }, (_, column) =>
    Math.max(...rows.map((row) => row[column]?.length ?? 0)),
  );
  return rows.map((row) => row.map((cell, column) => cell.padEnd(widths[column] ?? 0)));
}
