import { hash } from 'node:crypto';
import type { NewEvent } from '../contracts';

/** What stands before version 1 of every stream. */
export const GENESIS_HASH = '00'.repeat(32);

const bytes = (text: string): number => Buffer.byteLength(text);

/**
 * Hex SHA-256 that chains an event to its predecessor in the stream. Twin of the expression in
 * migrations/0007-append-functions.ts: both must hash the same bytes for ever.
 */
export const eventHash = (previous: string, event: NewEvent): string => {
  const { runId, version, schemaVersion, type, namespace, task, metadata, data } = event;
  const lengths = `${bytes(type)}|${bytes(namespace)}|${bytes(task)}|${bytes(metadata)}`;
  const content = `${runId}|${version}|${schemaVersion}|${lengths}\n${type}${namespace}${task}${metadata}${data}`;
  return hash('sha256', Buffer.concat([Buffer.from(previous, 'hex'), Buffer.from(content)]), 'hex');
};
