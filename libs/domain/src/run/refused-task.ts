import type { DomainEvent, FailureDetail, SegmentTask, TaskTransitioned } from '@foldwork/events/contracts';

/** A task whose attempt, or undo, cannot even begin: begun and failed in one append, the first event at the version after the task's. */
export const refusedTask = ({ attempt, undo }: SegmentTask, error: FailureDetail, by: { readonly at: number; readonly executor?: string }): readonly [DomainEvent, DomainEvent] => {
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
