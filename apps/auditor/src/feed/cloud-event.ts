import { feedSubject, formatRunId, traceparentOf, type FeedMessage, type RecordedEvent } from '@foldwork/events';

/**
 * An event as a CloudEvent 1.0 in binary mode: attributes in headers, the event's own text as the payload, unparsed.
 * The id names the place in the stream, so it is the same whenever the event is sent again.
 */
export const cloudEvent = (event: RecordedEvent): FeedMessage => {
  const run = formatRunId(event.runId);
  const headers: Record<string, string> = {
    'ce-specversion': '1.0',
    'ce-id': escapeHeader(`${run}/${event.task}/${event.version}`),
    'ce-source': escapeHeader(`/foldwork/${event.namespace}`),
    'ce-type': event.type,
    'ce-subject': escapeHeader(event.task === '' ? run : `${run}/${event.task}`),
    'ce-time': timeText(event.recordedAt),
  };
  const traceparent = traceparentOf(event.metadata);
  if (traceparent !== undefined) headers['traceparent'] = traceparent;
  return {
    subject: feedSubject(event.namespace, run, event.type),
    id: headers['ce-id'] ?? '',
    headers,
    payload: event.data,
    dataref: `/orchestrator/runs/${run}/events?after=${event.position - 1}&limit=1`,
  };
};

const NEEDS_ESCAPE = /[^\x21\x23\x24\x26-\x7e]/;
const ESCAPED = /[^\x21\x23\x24\x26-\x7e]/gu;

/** Percent-encodes what the CloudEvents binding wants encoded in headers: blanks, quotes, `%` and all that is not ASCII. */
const escapeHeader = (text: string): string =>
  NEEDS_ESCAPE.test(text) ? text.replace(ESCAPED, (character) => (character === '%' || character === '"' || character === ' ' ? PLAIN[character] ?? '' : encodeURIComponent(character))) : text;

const PLAIN: Readonly<Record<string, string>> = { '%': '%25', '"': '%22', ' ': '%20' };

let lastTime = { at: 0, text: '' };

/** Many events share a millisecond; formatting a time costs more than all the rest. */
const timeText = (at: number): string => {
  if (lastTime.at !== at) lastTime = { at, text: new Date(at).toISOString() };
  return lastTime.text;
};
