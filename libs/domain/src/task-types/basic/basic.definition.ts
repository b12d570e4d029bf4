import type { Json } from '@foldwork/events/contracts';
import type { EffectClass, TimedTask } from '../../definition/task.definition';

/** Asks whether an effect was applied before it is repeated. `found` is CEL over `result` (and `output`-less scope). */
export interface Verify {
  readonly action: string;
  readonly with?: Json;
  readonly found: string;
}

/** Runs one registered action. */
export interface BasicTask extends TimedTask {
  readonly type: 'basic';
  readonly action: string;
  readonly with?: Json;
  /** Absent: the action's own class. */
  readonly effect?: EffectClass;
  /** CEL; sent with each attempt of a `keyed` task. */
  readonly key?: string;
  readonly verify?: Verify;
  readonly breaker?: string;
  /** `exhausted`: when retries are used up; error codes: at once. */
  readonly escalate?: 'exhausted' | readonly string[];
}
