import type { NatsConnection } from '@nats-io/transport-node';

const LINE_BREAK = /[\r\n]/;

/** The header block as the protocol has it. Throws `TypeError` when a value holds a line break, which would begin another header. */
export const headerBlock = (headers: Readonly<Record<string, string>>): string => {
  let block = 'NATS/1.0\r\n';
  for (const name in headers) {
    const value = headers[name] ?? '';
    if (LINE_BREAK.test(value)) throw new TypeError(`Header ${name} holds a line break.`);
    block += `${name}: ${value}\r\n`;
  }
  return `${block}\r\n`;
};

/** A whole `HPUB`. `subject` and `reply` are plain subjects, `headers` a block. */
export const messageFrame = (subject: string, headers: string, payload: string, reply?: string): string => {
  const headerBytes = Buffer.byteLength(headers);
  const bytes = headerBytes + Buffer.byteLength(payload);
  return `HPUB ${subject} ${reply === undefined ? '' : `${reply} `}${headerBytes} ${bytes}\r\n${headers}${payload}\r\n`;
};

interface Wire {
  readonly protocol: { sendCommand(bytes: Uint8Array): void };
}

/**
 * Sends frames as one piece. The library's own `publish` encodes and copies five pieces for each message, which is most of
 * what a small one costs; this is what it does with the result.
 */
export const sendFrames = (connection: NatsConnection, frames: string): void => {
  (connection as unknown as Wire).protocol.sendCommand(Buffer.from(frames)); // there at run time, not in the typings
};
