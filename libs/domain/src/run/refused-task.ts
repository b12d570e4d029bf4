import { newEvent, type DomainEvent, type EventSource, type FailureDetail, type NewEvent, type SegmentTask, type TaskTransitioned } from '@foldwork/events/contracts';

/** A task whose attempt, or undo, cannot even begin: begun and failed, for one append. Then a planner has to look at it. */
export const refusedTask = (source: EventSource, task: SegmentTask, error: FailureDetail, by: { readonly at: number; readonly executor?: string }): NewEvent[] =>
  beginAndFail(task, error, by).map((event, index) => newEvent(source, task.path, task.version + 1 + index, event, index === 1));

const beginAndFail = ({ attempt, undo }: SegmentTask, error: FailureDetail, by: { readonly at: number; readonly executor?: string }): readonly [DomainEvent, DomainEvent] => {
  const facts = { attempt, ...by };
  if (undo === true) {
    return [
      { type: 'TaskUndoTransitioned', data: { to: 'started', ...facts } },
      { type: 'TaskUndoTransitioned', data: { to: 'failed', error, ...facts } },
    ];
  }
  const begin: TaskTransitioned = { transition: 'begin', from: 'pending', to: 'in_progress', ...facts };
  const fail: TaskTransitioned = { transition: 'fail', from: 'in_progress', to: 'failed', ...facts, error };
  return [{ type: 'TaskTransitioned', data: begin }, { type: 'TaskTransitioned', data: fail }];
};
