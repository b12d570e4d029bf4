import { createHash } from 'node:crypto';
import { parseRunId, type RunId } from '@foldwork/events';

/** RFC 9562, version 8: SHA-256 of the name, the first 48 bits replaced by a time (12 hex digits) where there is one. */
export const deterministicRunId = (name: string, timeHex?: string): RunId => {
  const hash = createHash('sha256').update(name).digest('hex');
  const variant = ((Number.parseInt(hash.slice(16, 17), 16) & 0x3) | 0x8).toString(16);
  const start = timeHex ?? hash.slice(0, 12);
  const uuid = `${start.slice(0, 8)}-${start.slice(8, 12)}-8${hash.slice(13, 16)}-${variant}${hash.slice(17, 20)}-${hash.slice(20, 32)}`;
  const runId = parseRunId(uuid);
  if (runId === undefined) throw new Error(`not a UUID: ${uuid}`);
  return runId;
};

/** The stream in which a workflow's labels move. */
export const workflowStreamId = (namespace: string, workflow: string): RunId => deterministicRunId(`workflow\n${namespace}\n${workflow}`);
