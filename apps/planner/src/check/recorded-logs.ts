import { createReadStream } from 'node:fs';
import { createInterface } from 'node:readline';
import { openEvent, stringifyJson, type DefinitionHash, type DefinitionStore, type EventLog, type RecordedEvent, type RunId } from '@foldwork/events';
import type { RecordedLog } from './check-log';

const PAGE = 2_000;

/** One line of an exported log: an event as it was recorded, or a definition that an earlier or later line refers to. */
export type ExportLine =
  | { readonly kind: 'event'; readonly event: RecordedEvent }
  | { readonly kind: 'definition'; readonly namespace: string; readonly hash: DefinitionHash; readonly body: string };

/** The log of an installation. Reads run by run, so its size does not matter. */
export const databaseLog = (log: EventLog, definitions: DefinitionStore): RecordedLog => ({
  runs: async function* () {
    for await (const page of pagesOf(log)) {
      for (const { type, runId } of page) if (type === 'RunRequested') yield await log.readRuns([runId]);
    }
  },
  run: (runId) => log.readRuns([runId]),
  definition: (namespace, hash) => definitions.get(namespace, hash),
});

/** All lines of an export. Reads in pages; definitions come after the first event that names them. */
export const exportLines = async function* (log: EventLog, definitions: DefinitionStore): AsyncGenerator<string> {
  const written = new Set<string>();
  for await (const page of pagesOf(log)) {
    for (const event of page) {
      yield line({ kind: 'event', event });
      const named = definitionIn(event);
      if (named === undefined || written.has(`${event.namespace}\n${named}`)) continue;
      written.add(`${event.namespace}\n${named}`);
      const body = await definitions.get(event.namespace, named);
      if (body !== undefined) yield line({ kind: 'definition', namespace: event.namespace, hash: named, body });
    }
  }
};

const line = (value: ExportLine): string => `${stringifyJson(value)}\n`;

const definitionIn = (recorded: RecordedEvent): DefinitionHash | undefined => {
  if (recorded.type !== 'RunRequested' && recorded.type !== 'WorkflowPublished') return undefined;
  const { type, data } = openEvent(recorded);
  return type === 'RunRequested' || type === 'WorkflowPublished' ? data.definition : undefined;
};

const pagesOf = async function* (log: EventLog): AsyncGenerator<readonly RecordedEvent[]> {
  for (let after = 0; ; ) {
    const page = await log.readAfter(after, PAGE);
    const last = page.at(-1);
    if (last === undefined) return;
    yield page;
    after = last.position;
  }
};

/** An exported log. Held in memory as a whole. Rejects with the number of a line that is none. */
export const exportedLog = async (lines: AsyncIterable<string>): Promise<RecordedLog> => {
  const runs = new Map<RunId, RecordedEvent[]>();
  const bodies = new Map<string, string>();
  let number = 0;
  for await (const text of lines) {
    number += 1;
    if (text.trim() === '') continue;
    const read = parseLine(text, number);
    if (read.kind === 'definition') bodies.set(`${read.namespace}\n${read.hash}`, read.body);
    else if (runs.get(read.event.runId)?.push(read.event) === undefined) runs.set(read.event.runId, [read.event]);
  }
  return {
    runs: async function* () {
      for (const events of runs.values()) if (events[0]?.type === 'RunRequested') yield events;
    },
    run: async (runId) => runs.get(runId) ?? [],
    definition: async (namespace, hash) => bodies.get(`${namespace}\n${hash}`),
  };
};

export const linesOfFile = (path: string): AsyncIterable<string> => createInterface({ input: createReadStream(path, 'utf8'), crlfDelay: Infinity });

const parseLine = (text: string, number: number): ExportLine => {
  try {
    const read = JSON.parse(text) as ExportLine; // payloads inside are texts, so plain parsing loses nothing
    if (read.kind === 'event' || read.kind === 'definition') return read;
  } catch (cause) {
    throw new Error(`line ${number} is not of an exported log`, { cause });
  }
  throw new Error(`line ${number} is not of an exported log`);
};
