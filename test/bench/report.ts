/** Minimum, median and maximum. */
export function summary(values: number[]): number[] {
  const sorted = [...values].sort((a, b) => a - b);
  return [sorted[0] ?? Number.NaN, percentile(sorted, 0.5), sorted.at(-1) ?? Number.NaN];
}

/** The value below which `share` of the sorted values lie. */
export function percentile(sorted: number[], share: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
}

export function row(title: string, values: number[], unit: string): string {
  return `${title.padEnd(34)}${values.map((value) => value.toFixed(0).padStart(8)).join('')} ${unit}`;
}
