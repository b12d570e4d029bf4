import {
  awaitedKey, BROADCAST_RUN, broadcastStream, formatRunId, LogUnavailable, newEvent, signalStream,
  type Agenda, type DomainEvent, type EventLog, type EventMetadata, type Lineage, type NewEvent, type RecordedEvent, type RunId, type SignalReceived, type TaskPath,
} from '@foldwork/events';
import { derivedRunId, foldRun, isOpenRun, lineageFrom, unknownTarget, type OutgoingSignal, type RunState, type SignalDispatch } from '@foldwork/domain';
import type { TaskTypeVersionStore } from '@foldwork/platform';
import type { RunOrder, RunStarter } from './run-starter';
import type { TriggerBook } from './trigger-book';
import { ALL_SHARDS, shardOf } from './shard-share';

/** A signal on its way to runs. */
export interface Arrival {
  readonly namespace: string;
  readonly received: SignalReceived;
  readonly lineage: Lineage | undefined;
}

export interface SignalDeliveryParts {
  readonly log: EventLog;
  readonly agenda: Agenda;
  /** Writes what this planner knows of waits and has not saved. */
  readonly flush: () => Promise<void>;
  /** Runs with a wait for one of the keys that `flush` may not know of yet. */
  readonly deciding: (keys: readonly string[]) => readonly RunId[];
  readonly starter: RunStarter;
  readonly triggers: TriggerBook;
  readonly versions: TaskTypeVersionStore;
  readonly metadata: EventMetadata;
  readonly now: () => number;
  readonly onRefused: (workflow: string, reason: string) => void;
}

/**
 * Brings signals to the runs that wait for them. A delivery is an append to a stream named by the signal's id, so doing
 * it again, here or in another planner, changes nothing.
 */
export class SignalDelivery {
  constructor(private readonly parts: SignalDeliveryParts) {}

  /** A signal that a task of a run sends. */
  async send(from: RunState, outgoing: OutgoingSignal): Promise<SignalDispatch> {
    const { signal, signalId, payload, to, at } = outgoing;
    const received: SignalReceived = { signal, signalId, payload, at, ...(to?.correlationId !== undefined && { correlationId: to.correlationId }) };
    const arrival: Arrival = { namespace: from.namespace, received, lineage: lineageFrom(from, outgoing.task) };
    if (to?.run !== undefined) return this.toRun(to.run, arrival);
    await this.parts.log.append([this.event(BROADCAST_RUN, broadcastStream(from.namespace, signalId), arrival)]); // for the other planners
    return { targets: await this.toAll(arrival, ALL_SHARDS, true) };
  }

  /** A broadcast that stands in the log: for the waits of these shards. */
  async broadcast(arrival: Arrival, shards: readonly number[], withTriggers: boolean): Promise<void> {
    await this.toAll(arrival, shards, withTriggers);
  }

  /** A run of another namespace is as unknown as one that does not exist. */
  private async toRun(runId: RunId, arrival: Arrival): Promise<SignalDispatch> {
    const { namespace, received } = arrival;
    const run = foldRun(await this.parts.log.readRuns([runId]));
    if (run === undefined || run.namespace !== namespace) return { error: unknownTarget(runId) };
    if (!isOpenRun(run)) return { targets: [] };
    await this.parts.log.append([this.event(runId, signalStream(received.signalId), arrival)]);
    return { targets: targetsOf(run, received, true) };
  }

  private async toAll(arrival: Arrival, shards: readonly number[], withTriggers: boolean): Promise<string[]> {
    const { namespace, received } = arrival;
    const waiting = await this.waitingRuns(namespace, received, shards);
    const stream = signalStream(received.signalId);
    await Promise.all(waiting.map(({ runId }) => this.parts.log.append([this.event(runId, stream, arrival)])));
    const started = withTriggers ? await this.startTriggered(arrival) : [];
    return [...waiting.flatMap((run) => targetsOf(run, received, false)), ...started];
  }

  private async waitingRuns(namespace: string, received: SignalReceived, shards: readonly number[]): Promise<RunState[]> {
    const { signal, correlationId } = received;
    const keys = [awaitedKey(namespace, signal), ...(correlationId === undefined ? [] : [awaitedKey(namespace, signal, correlationId)])];
    const deciding = this.parts.deciding(keys).filter((runId) => shards.includes(shardOf(runId)));
    await this.parts.flush();
    const runIds = new Set([...(await this.parts.agenda.awaiting(keys, shards)), ...deciding]);
    const byRun = Map.groupBy(await this.parts.log.readRuns([...runIds]), ({ runId }) => runId);
    return [...byRun.values()].flatMap((events: RecordedEvent[]) => foldRun(events) ?? []).filter((run) => isOpenRun(run) && targetsOf(run, received, false).length > 0);
  }

  /** A workflow that refuses the payload is left out: recorded in the log of this process, nothing else. */
  private async startTriggered({ namespace, received: { signal, signalId, payload, at }, lineage }: Arrival): Promise<string[]> {
    const started: string[] = [];
    const workflows = this.parts.triggers.startedBy(namespace, signal);
    if (workflows.length === 0) return started;
    const origin = { trigger: { signal, signalId }, ...(await this.parts.versions.ofNewRun(namespace)) };
    for (const workflow of workflows) {
      const runId = derivedRunId(at, `${signalId}/${workflow}`);
      const outcome = await this.start({ namespace, workflow, runId, input: payload, at, lineage, origin, retry: { delayMs: 30_000, maximum: 3 } });
      if (outcome === 'started') started.push(formatRunId(runId));
      else this.parts.onRefused(workflow, outcome.message);
    }
    return started;
  }

  /** Whatever is wrong with one workflow, the signal goes on to the others. */
  private async start(order: RunOrder): Promise<'started' | { readonly message: string }> {
    try {
      return await this.parts.starter.start(order);
    } catch (error) {
      if (error instanceof LogUnavailable) throw error;
      return { message: error instanceof Error ? error.message : String(error) };
    }
  }

  private event(runId: RunId, stream: TaskPath, { namespace, received: data, lineage }: Arrival): NewEvent {
    const event: DomainEvent = { type: 'SignalReceived', data };
    return newEvent({ runId, namespace, metadata: { ...this.parts.metadata, ...lineage } }, stream, 1, event, true);
  }
}

/** The tasks that wait for it; a run that was named is a target even while nothing in it waits. */
const targetsOf = (run: RunState, { signal, correlationId }: SignalReceived, isNamed: boolean): string[] => {
  const tasks = [...run.waiting].filter((path) =>
    run.tasks.get(path)?.waitsFor?.some((awaited) => awaited.signal === signal && (awaited.correlationId === undefined || awaited.correlationId === correlationId)) === true);
  if (tasks.length === 0) return isNamed ? [formatRunId(run.runId)] : [];
  return tasks.map((path) => `${formatRunId(run.runId)}/${path}`);
};
