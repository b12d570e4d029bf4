import type { RunId, TaskPath } from './ids';
import { parseJson, stringifyJson } from './json';
import type { DomainEvent, EventType } from './domain-event.events';

/** Who and why; travels with every event, never decides anything. */
export interface EventMetadata {
  readonly actor: string;
  readonly reason?: string;
  readonly requestId?: string;
  /** Of what a task of another run asked for: the id of that task's event, `run/task/version`. */
  readonly causationId?: string;
  /** Of the same, and of all that it asks for in turn: the run that it began with, `run_…`. */
  readonly correlationId?: string;
  /** W3C Trace Context of the request that a run began with; every event that follows from it has it too. */
  readonly traceparent?: string;
}

const TRACEPARENT = /"traceparent":"([0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2})"/;

/** The trace in recorded metadata; by its fixed form, without parsing, since most events have none. */
export const traceparentOf = (metadata: string): string | undefined =>
  metadata.includes('"traceparent"') ? TRACEPARENT.exec(metadata)?.[1] : undefined;

/** Metadata of what follows from something in this trace; a trace of its own stays. */
export const inTrace = (metadata: EventMetadata, traceparent: string | undefined): EventMetadata =>
  traceparent === undefined ? metadata : { traceparent, ...metadata };

/** Where something that is asked of another run comes from. */
export type Lineage = Pick<EventMetadata, 'traceparent' | 'causationId' | 'correlationId'>;

const HAS_LINEAGE = /"(?:traceparent|causationId|correlationId)":/;

/** As recorded; without parsing where there is none, as in most runs. */
export const lineageOf = (metadata: string): Lineage | undefined => {
  if (!HAS_LINEAGE.test(metadata)) return undefined;
  const { traceparent, causationId, correlationId } = parseJson(metadata) as unknown as EventMetadata; // the log's writers made it with newEvent
  return { ...(traceparent !== undefined && { traceparent }), ...(causationId !== undefined && { causationId }), ...(correlationId !== undefined && { correlationId }) };
};

/** An event as it is handed to the log. `version` is the stream's version after it: 1 for the first event of a stream. */
export interface NewEvent {
  readonly runId: RunId;
  readonly task: TaskPath;
  readonly version: number;
  readonly type: EventType;
  readonly schemaVersion: number;
  /** JSON text; stays text until somebody needs to look inside. */
  readonly data: string;
  readonly metadata: string;
  readonly namespace: string;
  /** Whether a planner has to look at the run because of it: planners are woken for such events only. */
  readonly decide: boolean;
}

/** An event that has its place in the log. `data` and `metadata` are the texts that were appended, byte for byte. */
export interface PlacedEvent extends NewEvent {
  /** 1, 2, 3 … without a gap, equal to commit order. */
  readonly position: number;
}

/** An event as the log gives it back. */
export interface RecordedEvent extends PlacedEvent {
  /** Database clock, milliseconds since 1970. */
  readonly recordedAt: number;
  /** Hex SHA-256 that chains the event to its predecessor in the stream. */
  readonly hash: string;
}

export interface EventSource {
  readonly runId: RunId;
  readonly namespace: string;
  readonly metadata: EventMetadata;
}

export const newEvent = (source: EventSource, task: TaskPath, version: number, event: DomainEvent, decide: boolean): NewEvent => ({
  runId: source.runId,
  task,
  version,
  type: event.type,
  schemaVersion: 1,
  data: stringifyJson(event.data),
  metadata: stringifyJson(source.metadata),
  namespace: source.namespace,
  decide,
});

/** The typed event inside a recorded one. Old shapes are brought up to date in `upcast`. */
export const openEvent = (recorded: Pick<RecordedEvent, 'type' | 'schemaVersion' | 'data'>): DomainEvent =>
  ({ type: recorded.type, data: parseJson(recorded.data) }) as unknown as DomainEvent; // the log's writers made it with newEvent
