import { randomFillSync } from 'node:crypto';
import type { RunId } from '@foldwork/events';
import { deterministicRunId } from '@foldwork/platform';
import { v7 } from 'uuid';

/**
 * Run ids. Without an idempotency key: a UUIDv7. With one: a UUIDv8 that follows from namespace and key alone, so that
 * "this key was used before" is the log's own answer to an append at version 1, with no second table to keep in step.
 *  1. The same namespace and key give the same id, in every process and after every restart.
 *  2. A key that is itself a UUIDv7 or a ULID lends the id its time, so that such ids sort by birth like all others.
 */
export const newRunId = (): RunId => {
  const random = nextRandom();
  const now = Date.now();
  sequence = now > lastMs ? new DataView(random.buffer).getUint32(0) >>> 1 : sequence + 1;
  lastMs = Math.max(lastMs, now);
  return v7({ random, msecs: lastMs, seq: sequence }) as RunId; // the library makes nothing else
};

/** Ids of one process sort in the order in which they were made, within a millisecond too. */
let lastMs = 0;
let sequence = 0;

export const runIdOfKey = (namespace: string, key: string): RunId => deterministicRunId(`run\n${namespace}\n${key}`, timeIn(key));

/** Random bytes are fetched for many ids at once: one system call each would be the dearest part of making an id. */
const RANDOM_BYTES = 4_096;
const ID_BYTES = 16;
const pool = new Uint8Array(RANDOM_BYTES);
let used = RANDOM_BYTES;

const nextRandom = (): Uint8Array => {
  if (used === RANDOM_BYTES) {
    randomFillSync(pool);
    used = 0;
  }
  used += ID_BYTES;
  return pool.slice(used - ID_BYTES, used);
};

const UUID_V7 = /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/i;
const ULID = /^[0-7][0-9A-HJKMNP-TV-Z]{25}$/i;
const CROCKFORD = '0123456789ABCDEFGHJKMNPQRSTVWXYZ';

const timeIn = (key: string): string | undefined => {
  if (UUID_V7.test(key)) return key.toLowerCase().replace('-', '').slice(0, 12);
  if (!ULID.test(key)) return undefined;
  const ms = [...key.slice(0, 10).toUpperCase()].reduce((sum, letter) => sum * 32 + CROCKFORD.indexOf(letter), 0);
  return ms.toString(16).padStart(12, '0');
};
