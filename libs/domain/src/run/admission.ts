import type { EventMetadata, NewEvent } from '@foldwork/events/contracts';
import { Emission } from './emission';
import type { RunState } from './run.state';

/**
 * The run's turn in its lane has come (`admissible`): the event to append. `undefined`: it is in already, or does not want to
 * any more. A conflict means the same; fold again and see. `run` is used up.
 */
export const admission = (run: RunState, context: { readonly now: number; readonly metadata: EventMetadata }): NewEvent | undefined => {
  const { lane } = run.request;
  const waits = run.status === 'pending' || run.status === 'running';
  if (lane === undefined || run.admitted || !waits || run.cancel !== undefined) return undefined;
  const emission = new Emission(run, context.now, context.metadata, true);
  emission.emitRun({ type: 'RunAdmitted', data: { lane: lane.key, at: context.now } });
  return emission.events[0];
};
