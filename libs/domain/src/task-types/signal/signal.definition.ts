import type { Json } from '@foldwork/events/contracts';
import type { TimedTask } from '../../definition/task.definition';

/** Delivers a signal to waiting tasks, starts workflows with such a trigger and publishes it on the bus. */
export interface SignalTask extends TimedTask {
  readonly type: 'signal';
  readonly signal: {
    /** Name of the signal; may contain `${ CEL }`. */
    readonly id: string;
    readonly payload?: Json;
    /** Texts with `${ CEL }`; absent: all runs. */
    readonly to?: { readonly run?: string; readonly correlationId?: string };
  };
}
