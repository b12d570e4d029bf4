import { parseRunId, type RunId } from '@foldwork/events/contracts';

/** The last run of a page; the next page begins behind it. */
export interface PageCursor {
  /** Milliseconds since 1970. */
  readonly requestedAt: number;
  readonly runId: RunId;
}

export const formatPageCursor = ({ requestedAt, runId }: PageCursor): string =>
  btoa(`${requestedAt}~${runId}`).replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '');

const CURSOR = /^[A-Za-z0-9_-]{1,200}$/;

/** `undefined` when the text did not come from `formatPageCursor`. */
export const parsePageCursor = (text: string): PageCursor | undefined => {
  if (!CURSOR.test(text)) return undefined;
  const [requestedAt = '', run = ''] = decode(text).split('~');
  const runId = parseRunId(run);
  return runId === undefined || !/^\d{1,15}$/.test(requestedAt) ? undefined : { requestedAt: Number(requestedAt), runId };
};

const decode = (text: string): string => {
  const standard = text.replaceAll('-', '+').replaceAll('_', '/');
  // The alphabet was checked; only a length that no encoder makes is left for atob to refuse.
  return standard.length % 4 === 1 ? '' : atob(standard);
};
