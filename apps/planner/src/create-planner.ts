import { inTrace, refusalOf, type Agenda, type Bus, type EventLog, type EventMetadata, type RecordedEvent, type RunId } from '@foldwork/events';
import { refusedTask } from '@foldwork/domain';
import { WorkflowRegistry, type DefinitionCache, type Logger, type TaskTypeVersionStore } from '@foldwork/platform';
import type { AgendaWriter } from './agenda-writer';
import { Dispatcher, type DispatcherOptions } from './dispatcher';
import type { DueQueue } from './due-queue';
import type { ExecutorWatch } from './executor-watch';
import { Interactions } from './interactions';
import type { PlannedTally } from './planned-tally';
import { Planner } from './planner';
import { isByPlanner, isByPlannerNamed } from './planner-decision';
import { RunCache } from './run-cache';
import { RunDecisions } from './run-decisions';
import { RunStarter } from './run-starter';
import { SignalDelivery } from './signal-delivery';
import { stopwatch } from './stopwatch';
import type { TriggerBook } from './trigger-book';

export interface PlannerMakings {
  readonly log: EventLog;
  readonly bus: Bus;
  readonly logger: Logger;
  readonly definitions: DefinitionCache;
  readonly agenda: Agenda;
  readonly writer: AgendaWriter;
  readonly due: DueQueue;
  readonly triggers: TriggerBook;
  readonly versions: TaskTypeVersionStore;
  readonly planned: PlannedTally;
  readonly settings: { readonly name: string; readonly cacheRuns: number; readonly quarantineMs: number };
  readonly metadata: EventMetadata;
  readonly epoch: string;
  readonly owns: (runId: RunId) => boolean;
  readonly watch: ExecutorWatch;
  readonly now: () => number;
  readonly onTrouble: (error: unknown) => void;
  readonly onSetAside: (runId: RunId, error: unknown) => void;
}

/** Puts a planner together from what its runtime owns. */
export const createPlanner = (makings: PlannerMakings): { readonly planner: Planner; readonly signals: SignalDelivery } => {
  const { log, bus, logger, definitions, agenda, writer, due, triggers, versions, planned, settings, metadata, epoch, owns, watch, now, onTrouble, onSetAside } = makings;
  const starter = new RunStarter(log, new WorkflowRegistry(log, now), definitions, metadata);
  const signals = new SignalDelivery({
    log, agenda, starter, metadata, now, triggers, versions,
    flush: () => writer.flush(),
    deciding: (keys) => planner.deciding(keys),
    onRefused: (workflow, reason) => logger.warn({ event: 'trigger_refused', workflow, reason }),
  });
  const cache = new RunCache(log, definitions, settings.cacheRuns);
  const decisions = new RunDecisions({
    log, cache, agenda: writer, due, owns, now, planned,
    dispatcher: new Dispatcher({ bus, epoch, now, onTrouble, wake: ({ run }, at) => due.add(run.runId, at), refuse: refuseTask(makings) }),
    interactions: new Interactions({ log, signals, starter, metadata, now }),
    context: (at) => ({ now: at, metadata, isLost: watch.isLost, isTakingLong: stopwatch(), refusalOf, quarantineMs: settings.quarantineMs }),
  });
  const isOwn = isByPlannerNamed(settings.name);
  const isForeign = (event: RecordedEvent): boolean => isByPlanner(event) && (!isOwn(event) || writer.mayBeForeign(event.position));
  const asks = (event: RecordedEvent): boolean => event.decide || isForeign(event) || watch.isByLost(event);
  const planner: Planner = new Planner({ cache, agenda: writer, due, decisions, now, asks, onSetAside });
  return { signals, planner };
};

const refuseTask = ({ log, metadata, now }: PlannerMakings): DispatcherOptions['refuse'] => async ({ run: { runId, namespace, lineage } }, task, message, plan) => {
  const source = { runId, namespace, metadata: inTrace(metadata, lineage?.traceparent) };
  await log.append([...plan, ...refusedTask(source, task, { code: 'COMMAND_TOO_LARGE', message }, { at: now() })]); // after a conflict somebody else has moved it
};
