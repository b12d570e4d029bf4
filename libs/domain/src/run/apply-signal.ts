import type { Json, JsonObject, SignalReceived, TaskTransitioned } from '@foldwork/events/contracts';
import type { RunState, SignalState, TaskState } from './run.state';

/** A signal came: it is kept until a wait uses it up, whether or not one has begun. A second delivery changes nothing. */
export const receiveSignal = (run: RunState, signal: SignalReceived): void => {
  if (run.signals.has(signal.signalId)) return;
  run.signals.set(signal.signalId, { ...signal, order: run.signals.size, consumed: false });
  const inbox = run.inbox.get(signal.signal) ?? new Set();
  run.inbox.set(signal.signal, inbox.add(signal.signalId));
  for (const path of run.waiting) {
    if (run.tasks.get(path)?.waitsFor?.some((awaited) => awaited.signal === signal.signal) === true) run.dirty.add(path);
  }
};

/** A wait was completed by these signals; no other task gets them. */
export const useSignals = (run: RunState, task: TaskState, { signalId, signalIds }: TaskTransitioned): void => {
  if (signalId !== undefined) task.signalId = signalId;
  for (const id of signalIds ?? [signalId]) {
    const signal = id === undefined ? undefined : run.signals.get(id);
    if (signal === undefined) continue;
    signal.consumed = true;
    run.inbox.get(signal.signal)?.delete(signal.signalId);
  }
};

/** What expressions and processors see of a signal. */
export const signalItem = (signal: SignalState | undefined): JsonObject => {
  if (signal === undefined) return { payload: null, metadata: {} };
  const { signal: name, signalId, correlationId, at } = signal;
  const metadata: { [key: string]: Json } = { signal: name, signalId, receivedAt: new Date(at).toISOString() };
  if (correlationId !== undefined) metadata['correlationId'] = correlationId;
  return { payload: signal.payload, metadata };
};
