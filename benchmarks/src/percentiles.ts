/** The value that `share` (0 to 1) of the values do not exceed. NaN when there is none. */
export const percentile = (values: readonly number[], share: number): number => {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.max(0, Math.ceil(sorted.length * share) - 1))] ?? Number.NaN;
};

export const median = (values: readonly number[]): number => percentile(values, 0.5);

export const rounded = (value: number, digits = 2): number => Number(value.toFixed(digits));

/** `<name>P50Ms`, `<name>P95Ms`, `<name>P99Ms`; without a name `p50Ms` … */
export const percentiles = (name: string, valuesMs: readonly number[]): Record<string, number> =>
  Object.fromEntries([50, 95, 99].map((share) => [name === '' ? `p${share}Ms` : `${name}P${share}Ms`, rounded(percentile(valuesMs, share / 100))]));
