/** The sum of all series of a metric, in Prometheus' text format. */
export function sumOf(
  text: string,
  metric: string,
  matches: (labels: string) => boolean = () => true,
): number {
  const line = new RegExp(`^${metric}(?:\\{(.*)\\})? (\\S+)$`, 'gm');
  return [...text.matchAll(line)]
    .filter(([, labels = '']) => matches(labels))
    .reduce((sum, [, , value]) => sum + Number(value), 0);
}

/** What a service on this machine says of itself. */
export async function readMetrics({ httpPort }: { httpPort: number }): Promise<string> {
  const reply = await fetch(`http://127.0.0.1:${httpPort}/metrics`);
  return reply.text();
}
