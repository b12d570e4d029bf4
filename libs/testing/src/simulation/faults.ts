import type { EventLog, NewEvent } from '@foldwork/events';
import type { Random } from './random';

/** How unkind the world is. Probabilities per occasion; all 0: nothing goes wrong. */
export interface Faults {
  /** A step command vanishes. */
  readonly drop: number;
  /** A step command comes twice. */
  readonly double: number;
  /** A step command takes up to so long, milliseconds: so they overtake each other. */
  readonly delayMs: number;
  /** A process dies just before, or just after, an append. */
  readonly crash: number;
  /** Exactly this append (counted from 0) takes its process down. */
  readonly crashAt?: { readonly append: number; readonly when: 'before' | 'after' };
}

export const NO_FAULTS: Faults = { drop: 0, double: 0, delayMs: 0, crash: 0 };
export const UNKIND: Faults = { drop: 0.08, double: 0.1, delayMs: 400, crash: 0.03 };

/** The process that made the append is gone: what follows it in that process does not happen. */
export class Crashed extends Error {
  constructor(readonly process: string) {
    super(`${process} died`);
    this.name = 'Crashed';
  }
}

export type Append = (process: string, events: readonly NewEvent[]) => ReturnType<EventLog['append']>;

/** Appends of a world in which processes die. `count` counts them. */
export const unreliableAppend = (log: EventLog, faults: Faults, random: Random, counter: { count: number }): Append =>
  async (process, events) => {
    const number = counter.count;
    counter.count += 1;
    const planned = faults.crashAt?.append === number ? faults.crashAt.when : undefined;
    const dies = planned ?? (random.chance(faults.crash) ? random.pick(['before', 'after'] as const) : undefined);
    if (dies === 'before') throw new Crashed(process);
    const outcome = await log.append(events);
    if (dies === 'after') throw new Crashed(process);
    return outcome;
  };
