import { newEvent, type DomainEvent, type EventSource, type FailureDetail, type NewEvent, type SegmentTask, type TaskTransitioned } from '@foldwork/events/contracts';

/**
 * A task whose attempt, or undo, cannot even begin: begun and failed, for one append. Then a planner has to look at it.
 * Where it was to be asked first whether its effect took place, nobody has answered: a person has to.
 */
export const refusedTask = (source: EventSource, task: SegmentTask, error: FailureDetail, by: { readonly at: number; readonly executor?: string }): NewEvent[] =>
  beginAndFail(task, error, by).map((event, index) => newEvent(source, task.path, task.version + 1 + index, event, index === 1));

const beginAndFail = ({ path, attempt, undo, verify }: SegmentTask, error: FailureDetail, by: { readonly at: number; readonly executor?: string }): readonly [DomainEvent, DomainEvent] => {
  const facts = { attempt, ...by };
  if (undo === true) {
    return [
      { type: 'TaskUndoTransitioned', data: { to: 'started', ...facts } },
      { type: 'TaskUndoTransitioned', data: { to: 'failed', error, ...facts } },
    ];
  }
  const begin: TaskTransitioned = { transition: 'begin', from: 'pending', to: 'in_progress', ...facts };
  const fail: TaskTransitioned = verify === undefined
    ? { transition: 'fail', from: 'in_progress', to: 'failed', ...facts, error }
    : { transition: 'escalate', from: 'in_progress', to: 'escalated', ...facts, error: { code: 'EFFECT_UNKNOWN', message: `nobody was asked whether the effect of ${path} took place: ${error.message}` } };
  return [{ type: 'TaskTransitioned', data: begin }, { type: 'TaskTransitioned', data: fail }];
};
