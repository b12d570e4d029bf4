import { ExactNumber } from '@foldwork/events';
import type { RunState } from '@foldwork/domain';

/** What a planner only remembers, and the log does not say. */
const MEMORY: ReadonlySet<string> = new Set(['dirty', 'wakes', 'handed', 'refused', 'firstFree', 'again', 'unsettled', 'indexById']);

/** The folded state as text, the same bytes for the same state: keys sorted, maps as pairs, what is only memory left out. */
export const stateText = (run: RunState): string => JSON.stringify(plain(run), null, 1);

const plain = (value: unknown): unknown => {
  if (value instanceof ExactNumber || typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) return value.map(plain);
  if (value instanceof Set) return [...value].map(plain).sort();
  const entries = value instanceof Map ? [...value] : Object.entries(value).filter(([key]) => !MEMORY.has(key));
  return Object.fromEntries(entries.map(([key, member]) => [String(key), plain(member)] as const).sort(([a], [b]) => (a < b ? -1 : 1)));
};
