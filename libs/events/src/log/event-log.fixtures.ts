import { randomUUID } from 'node:crypto';
import { newEvent, parseRunId, taskPath, type NewEvent, type RunId } from '../contracts';

export const aRunId = (): RunId => parseRunId(randomUUID()) as RunId; // a fresh UUID parses

export const anEvent = (runId: RunId, task = 'upload', version = 1, data: Partial<NewEvent> = {}): NewEvent => ({
  ...newEvent(
    { runId, namespace: 'default', metadata: { actor: 'test' } },
    taskPath(task),
    version,
    { type: 'TaskTransitioned', data: { transition: 'start', from: 'pending', to: 'in_progress', attempt: 1, at: 1 } },
    false,
  ),
  ...data,
});
