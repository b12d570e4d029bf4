import type { PlacedEvent } from './envelope';
import type { RunId, TaskPath } from './ids';

/** Payload of a `decide` hint, as JSON: the log has grown, and somebody has to decide. */
export interface DecideHint {
  /** What asks for it; empty: read the log. */
  readonly events: readonly PlacedEvent[];
}

/** Payload of a `cancel` hint, as JSON: attempts that the log has taken away, and whether the run should go further. */
export interface CancelHint {
  readonly runId: RunId;
  readonly tasks: readonly TaskPath[];
  /** Nothing of commands that were decided before the run's stream had this version is begun any more. */
  readonly pausedAt?: number;
}
