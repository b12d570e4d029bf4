import type { Json } from '@foldwork/events/contracts';
import type { TimedTask } from '../../definition/task.definition';

/** Data with `${ CEL }`: a list whose members are the sources, or one string that gives such a list. */
export type Sources = string | readonly Json[];

/** Computes a value in the engine: exactly one of `outputs`, `merge`, `concat`. */
export interface AggregateTask extends Omit<TimedTask, 'sleep'> {
  readonly type: 'aggregate';
  /** Maps; later sources win with `last` (default), earlier with `first`. */
  readonly merge?: { readonly sources: Sources; readonly conflict?: 'first' | 'last' | 'error' };
  /** Lists, in the order of the sources. */
  readonly concat?: { readonly sources: Sources };
}
