import type { RunId, SegmentTask } from '@foldwork/events';
import type { ChildRunView, CompiledDefinition, RunState, SignalDispatch } from '@foldwork/domain';

/** A run that a planner holds folded in memory. */
export interface RunEntry {
  readonly run: RunState;
  readonly definition: CompiledDefinition;
  /** Commands on their way, by first task and version: when to send them again if nobody has claimed by then. */
  readonly sent: Map<string, SentCommand>;
  /** What came of signals that it sent, and how its child runs stand: not in the log, asked for anew after a restart. */
  readonly dispatched: Map<string, SignalDispatch>;
  readonly childRuns: Map<RunId, ChildRunView>;
  /** Present while decisions of this run are being made: settles when the last one that was asked for is in the log. */
  deciding: Promise<void> | undefined;
  /** Something changed since the last decision began. */
  again: boolean;
}

export interface SentCommand {
  readonly path: SegmentTask['path'];
  readonly version: number;
  readonly times: number;
  readonly resendAt: number;
}

export const newEntry = (run: RunState, definition: CompiledDefinition): RunEntry => ({
  run, definition, sent: new Map(), dispatched: new Map(), childRuns: new Map(), deciding: undefined, again: false,
});

export const sentKey = ({ path, version }: Pick<SegmentTask, 'path' | 'version'>): string => `${path}@${version}`;

/** Forgets commands that were claimed, or that something else overtook. */
export const forgetClaimed = ({ run, sent }: RunEntry): void => {
  for (const [key, { path, version }] of sent) {
    const task = run.tasks.get(path);
    if (task !== undefined && (task.version > version || run.executing.has(path))) sent.delete(key);
  }
};

export const nextResend = ({ sent }: RunEntry): number | undefined => {
  let next: number | undefined;
  for (const { resendAt } of sent.values()) if (next === undefined || resendAt < next) next = resendAt;
  return next;
};
