import { formatRunId, type RecordedEvent } from '@foldwork/events';

/**
 * One event as clients see it, as JSON text. `data` and `metadata` go out as they stand in the log, byte for byte, so
 * exact numbers stay exact and nothing is parsed. `position` is text: clients hand it back and never count with it.
 */
export const eventJson = (event: RecordedEvent): string =>
  `{"position":"${event.position}","runId":"${formatRunId(event.runId)}","task":${JSON.stringify(event.task)},"version":${event.version},` +
  `"type":"${event.type}","schemaVersion":${event.schemaVersion},"recordedAt":"${new Date(event.recordedAt).toISOString()}",` +
  `"hash":"${event.hash}","metadata":${event.metadata},"data":${event.data}}`;

/** A line break would end the `data:` field; in JSON it can only stand between tokens, where a blank does as well. */
export const eventFrame = (event: RecordedEvent): string =>
  `id: ${event.position}\nevent: ${event.type}\ndata: ${eventJson(event).replace(/[\r\n]/g, ' ')}\n\n`;
