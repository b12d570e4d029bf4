import type { Definition } from '@foldwork/domain';

/** What is arranged to happen to a run: the definitions, and what comes from outside and when. */
export interface Story {
  readonly definition: Definition;
  readonly children: readonly Definition[];
  /** Signals that come, by name; names that are not in it never come. */
  readonly signals: readonly { readonly name: string; readonly atMs: number }[];
  /** The run is paused for a while. */
  readonly pause?: { readonly fromMs: number; readonly toMs: number };
  readonly runRetries: number;
}

/** What a generated task's action does: nothing by chance, nothing by the number of calls that were lost. */
export interface Script {
  /** Always, or so many times (fewer than the attempts it has). */
  readonly fails?: 'always' | number;
  /** Always, but only for this index of the innermost collection around it. */
  readonly failsAt?: number;
  /** Answers `more: true` until this visit of a loop. */
  readonly untilVisit?: number;
  readonly ms?: number;
}
