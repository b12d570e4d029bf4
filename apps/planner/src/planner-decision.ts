import type { EventMetadata, NewEvent } from '@foldwork/events';

type Signed = Pick<NewEvent, 'metadata'>;

export const plannerMetadata = (name: string): EventMetadata => ({ actor: `planner:${name}` });

/**
 * Whether some planner appended the event. Its decisions ask for none, because it keeps the run's appointment itself; the
 * planner that the run belongs to has to look at it when that was another one. Quotes in texts are escaped, so it is no text.
 */
export const isByPlanner = ({ metadata }: Signed): boolean => metadata.includes('"actor":"planner:');

/** Whether the planner of this name did, in this life or an earlier one. */
export const isByPlannerNamed = (name: string): ((event: Signed) => boolean) => {
  const actor = `"actor":${JSON.stringify(plannerMetadata(name).actor)}`;
  return ({ metadata }) => metadata.includes(actor);
};
