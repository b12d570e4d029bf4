import { STATUS_CODES } from 'node:http';
import type { Socket } from 'node:net';
import { problemDocument } from './problem';
import { problemOfStatus } from './problem-of-error';

const STATUS: Readonly<Record<string, number>> = { HPE_HEADER_OVERFLOW: 431, ERR_HTTP_REQUEST_TIMEOUT: 408 };

/** What never became a request that a route or filter could answer: bytes that are no HTTP, too large headers, one that takes too long. */
export const answerClientError = ({ code = '' }: NodeJS.ErrnoException, socket: Pick<Socket, 'writable' | 'write' | 'destroySoon'>): void => {
  if (socket.writable) {
    const { details } = problemOfStatus(STATUS[code] ?? 400);
    const body = JSON.stringify(problemDocument(details));
    const head = [`HTTP/1.1 ${details.status} ${STATUS_CODES[details.status]}`, 'content-type: application/problem+json', `content-length: ${Buffer.byteLength(body)}`, 'cache-control: no-store', 'connection: close'];
    socket.write(`${head.join('\r\n')}\r\n\r\n${body}`);
  }
  socket.destroySoon();
};
