import { isOpenRun } from '@foldwork/domain';
import {
  BROADCAST_RUN, broadcastStream, newEvent, signalStream,
  type DomainEvent, type EventLog, type EventMetadata, type RunId,
} from '@foldwork/events';
import { conflict } from '@foldwork/platform/http';
import { v7 } from 'uuid';
import type { RunReader } from '../runs/run-reader';
import { summaryOfState } from '../runs/run-summary';
import type { BroadcastDto, SignalDto, SignaledRunDto } from './signal.dto';

export interface SignalParts {
  readonly log: EventLog;
  readonly reader: RunReader;
  readonly now: () => number;
}

export interface SignalSource {
  readonly namespace: string;
  readonly metadata: EventMetadata;
}

/**
 * Signals enter the log in a stream of their own, named by their id, at version 1: a second delivery of an id is a
 * conflict there and changes nothing. Whether anybody waits for them is the planner's to decide, now or later.
 */
export class SignalDelivery {
  constructor(private readonly parts: SignalParts) {}

  /** To one run. Throws `run_not_found`, or `run_not_signalable` when the run has ended. */
  async toRun(source: SignalSource, runId: RunId, signal: SignalDto): Promise<SignaledRunDto> {
    const { signalId } = await this.deliver(source, runId, signal);
    const { run } = await this.parts.reader.load(source.namespace, runId);
    return { ...summaryOfState(run), signalId };
  }

  /** As `toRun`, without reading the run again. */
  async deliver({ namespace, metadata }: SignalSource, runId: RunId, signal: SignalDto): Promise<BroadcastDto> {
    const { run } = await this.parts.reader.load(namespace, runId);
    const signalId = signal.signalId ?? v7();
    if (run.signals.has(signalId)) return { signalId, accepted: false };
    const retries = run.status === 'failed' && run.retryAt !== undefined;
    if (!isOpenRun(run) && !retries) throw conflict('run_not_signalable', `A run that is ${run.status} takes no signals.`, 'Send it to a run that goes on.');
    const event = newEvent({ runId, namespace, metadata }, signalStream(signalId), 1, this.received(signal, signalId), true);
    const { status } = await this.parts.log.append([event]);
    return { signalId, accepted: status !== 'conflict' };
  }

  /** To every run of the namespace that waits for it, and to workflows that start by it. */
  async toAll({ namespace, metadata }: SignalSource, signal: SignalDto): Promise<BroadcastDto> {
    const signalId = signal.signalId ?? v7();
    const source = { runId: BROADCAST_RUN, namespace, metadata };
    const event = newEvent(source, broadcastStream(namespace, signalId), 1, this.received(signal, signalId), true);
    const { status } = await this.parts.log.append([event]);
    return { signalId, accepted: status !== 'conflict' };
  }

  private received({ signal, payload, correlationId }: SignalDto, signalId: string): DomainEvent {
    const data = { signal, signalId, payload: payload === undefined ? {} : payload, ...(correlationId !== undefined && { correlationId }), at: this.parts.now() };
    return { type: 'SignalReceived', data };
  }
}
