import type { FailureDetail, Json, RunId, TaskPath } from '@foldwork/events';

/** What an action is told. `call` counts the calls of this task's action over all attempts, from 1. */
export interface SimulatedCall {
  readonly runId: RunId;
  readonly task: TaskPath;
  readonly input: Json;
  readonly attempt: number;
  readonly key: string;
  readonly call: number;
  readonly now: number;
}

/** The answer after `ms` (default 1): an output, or a failure. `effect`: it changed the world outside, even if it then fails. */
export type SimulatedAnswer = ({ readonly output: Json } | { readonly error: FailureDetail }) & { readonly ms?: number; readonly effect?: boolean };

export type SimulatedAction = (call: SimulatedCall) => SimulatedAnswer;

/** The world outside: what really happened there, whatever the log says of it. */
export class OutsideWorld {
  readonly calls: SimulatedCall[] = [];
  /** How often each task's effect took place, by `run/task`. */
  readonly effects = new Map<string, number>();
  readonly undone: TaskPath[] = [];
  private readonly counts = new Map<string, number>();

  constructor(readonly actions: ReadonlyMap<string, SimulatedAction>) {}

  call(action: string, call: Omit<SimulatedCall, 'call'>): SimulatedAnswer {
    const handler = this.actions.get(action);
    if (handler === undefined) return { error: { code: 'ACTION_UNKNOWN', message: `no action ${action}` } };
    const place = `${call.runId}/${call.task}`;
    const number = (this.counts.get(`${action} ${place}`) ?? 0) + 1;
    this.counts.set(`${action} ${place}`, number);
    const told = { ...call, call: number };
    this.calls.push(told);
    return handler(told);
  }

  took(runId: RunId, task: TaskPath): void {
    const place = `${runId}/${task}`;
    this.effects.set(place, (this.effects.get(place) ?? 0) + 1);
  }

  effectsOf(runId: RunId, task: string): number {
    return this.effects.get(`${runId}/${task}`) ?? 0;
  }

  callsOf(task: string): number {
    return this.calls.filter((call) => call.task === task).length;
  }
}
