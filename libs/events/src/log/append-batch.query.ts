import type { NewEvent } from '../contracts';
import type { AppendBatchEncoder } from './append-batch-encoder';
import type { AppendOutcome } from './event-log.port';
import type { Statement } from './rows-query';
import { streamKey } from './stream-key';

export type Appends = readonly (readonly NewEvent[])[];

/** A way to append a batch with one statement. */
export interface AppendQuery {
  statement(encoder: AppendBatchEncoder, appends: Appends): Statement;
  /** One outcome per append, and the position of the newest event the batch is known to have put or found. */
  outcomes(answer: unknown, appends: Appends): { readonly outcomes: AppendOutcome[]; readonly lastPosition: number };
}

const parameters = (count: number): string => Array.from({ length: count }, (_, i) => `$${i + 1}`).join(', ');
const ONE = `SELECT public.append_event(${parameters(9)})`;
const FAST = `SELECT public.append_events(${parameters(10)})`;
const CHECKED = `SELECT public.append_events_checked(${parameters(12)})`;

/** Everything is accepted or the statement fails as a whole. */
export const fastAppend: AppendQuery = {
  statement: (encoder, appends) => fastStatement(encoder, flatten(appends)),
  outcomes: (answer, appends) => {
    let lastPosition = Number(answer);
    const outcomes = appends.map((append): AppendOutcome => ({ status: 'ok', lastPosition: (lastPosition += append.length) }));
    return { outcomes, lastPosition };
  },
};

const fastStatement = (encoder: AppendBatchEncoder, events: readonly NewEvent[]): Statement => {
  const [event] = events;
  if (event !== undefined && events.length === 1) return { name: 'append_event', text: ONE, values: columnsOf(event) };
  return { name: 'append_events', text: FAST, values: encoder.encode(events, [wavesOf(events)]) };
};

const columnsOf = ({ runId, task, version, type, schemaVersion, namespace, decide, metadata, data }: NewEvent): string[] =>
  [runId, task, String(version), type, String(schemaVersion), namespace, String(decide), metadata, data];

/** Each append gets its own answer. */
export const checkedAppend: AppendQuery = {
  statement: (encoder, appends) => {
    const events = flatten(appends);
    const waves = wavesOf(events) ?? events.map(() => 0);
    const numbers = appends.flatMap((append, index) => append.map(() => index + 1));
    return { name: 'append_events_checked', text: CHECKED, values: encoder.encode(events, [waves, numbers, streamNumbers(events)]) };
  },
  outcomes: (answer, appends) => readCodes(String(answer), appends),
};

const flatten = (appends: Appends): readonly NewEvent[] => (appends.length === 1 ? (appends[0] ?? []) : appends.flat());

const readCodes = (answer: string, appends: Appends): { outcomes: AppendOutcome[]; lastPosition: number } => {
  const [base = '0', codes = ''] = answer.split(':');
  let lastPosition = Number(base);
  const outcomes = appends.map((append, index): AppendOutcome => {
    if (codes[index] === 'o') return { status: 'ok', lastPosition: (lastPosition += append.length) };
    return { status: codes[index] === 'd' ? 'duplicate' : 'conflict' };
  });
  return { outcomes, lastPosition };
};

/**
 * 0 for the first event of a stream in the batch, 1 for the second … The hash of an event needs its predecessor in the
 * table, so the waves are inserted one after another. `null` (the usual case): no stream occurs twice.
 */
const wavesOf = (events: readonly NewEvent[]): number[] | null => {
  const seen = new Map<string, number>();
  const waves = events.map((event) => {
    const key = streamKey(event);
    const wave = seen.get(key) ?? 0;
    seen.set(key, wave + 1);
    return wave;
  });
  return seen.size === events.length ? null : waves;
};

const streamNumbers = (events: readonly NewEvent[]): number[] => {
  const numbers = new Map<string, number>();
  return events.map((event) => {
    const key = streamKey(event);
    const number = numbers.get(key) ?? numbers.size + 1;
    numbers.set(key, number);
    return number;
  });
};
