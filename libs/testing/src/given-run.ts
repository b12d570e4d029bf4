import {
  newEvent, openEvent, taskPath,
  type DomainEvent, type EventOf, type NewEvent, type RecordedEvent, type RunId, type RunRequested, type TaskTransitioned,
} from '@foldwork/events';
import { decideOperatorCommand, decideRun, foldRun, type CompiledDefinition, type DecideContext, type OperatorCommand, type RunState } from '@foldwork/domain';

export const RUN_ID = '019b76da-a800-7ad1-b9de-910513527b40' as RunId; // a constant of the tests
/** Tests begin here; `t(30_000)` is half a minute later. */
export const T0 = Date.UTC(2026, 0, 1);
export const t = (ms: number): number => T0 + ms;

/** An event of one stream of the run. */
export interface Given {
  readonly task: string;
  readonly event: DomainEvent;
}

export const requested = (definition: CompiledDefinition, more: Partial<RunRequested> = {}): Given => ({
  task: '',
  event: { type: 'RunRequested', data: { workflow: definition.workflow, definition: definition.hash, input: {}, at: T0, retry: { delayMs: 30_000, maximum: 0 }, ...more } },
});
export const planned = (...ids: readonly string[]): Given => ({
  task: '',
  event: { type: 'RunPlanned', data: { tasks: ids.map((id) => ({ id, type: 'basic' })), at: T0 } },
});
export const ofRun = (event: DomainEvent): Given => ({ task: '', event });
export const moved = (task: string, data: Omit<TaskTransitioned, 'at' | 'attempt'> & Partial<TaskTransitioned>): Given => ({
  task,
  event: { type: 'TaskTransitioned', data: { attempt: 1, at: T0, ...data } },
});
export const begun = (task: string, more: Partial<TaskTransitioned> = {}): Given =>
  moved(task, { transition: 'begin', from: 'pending', to: 'in_progress', executor: 'e#1', ...more });
export const completed = (task: string, more: Partial<TaskTransitioned> = {}): Given =>
  moved(task, { transition: 'complete', from: 'in_progress', to: 'completed', executor: 'e#1', output: { task }, ...more });
export const failed = (task: string, more: Partial<TaskTransitioned> = {}): Given =>
  moved(task, { transition: 'fail', from: 'in_progress', to: 'failed', executor: 'e#1', error: { code: 'NO', message: 'no' }, ...more });

/** The events as the log would have them. */
export const recordedOf = (events: readonly Given[]): RecordedEvent[] => {
  const versions = new Map<string, number>();
  return events.map(({ task, event }, index) => {
    const version = (versions.get(task) ?? 0) + 1;
    versions.set(task, version);
    const made = newEvent({ runId: RUN_ID, namespace: 'test', metadata: { actor: 'test' } }, taskPath(task), version, event, false);
    return { ...made, position: index + 1, recordedAt: T0, hash: '' };
  });
};

/** A specification: these events happened, then this is asked, then exactly this is decided. */
export const given = (...events: readonly Given[]) => {
  const run = (): RunState => {
    const state = foldRun(recordedOf(events));
    if (state === undefined) throw new Error('the first event must be RunRequested');
    return state;
  };
  return {
    run,
    whenDecided: (definition: CompiledDefinition, at: number, context: Partial<DecideContext> = {}) => {
      const decision = decideRun(run(), definition, { now: at, metadata: { actor: 'planner' }, quarantineMs: 2_000, isLost: () => false, ...context });
      return { decision, ...then(decision.events), thenRuns: (...paths: string[]) => expect(decision.segments.map((segment) => segment.map(({ path }) => path).join())).toEqual(paths) };
    },
    whenCommanded: (command: OperatorCommand, at: number) => {
      const decision = decideOperatorCommand(run(), command, { now: at, metadata: { actor: 'person' } });
      return { decision, ...then(decision.accepted ? decision.events : []), thenRefused: (code: string) => expect(decision).toMatchObject({ accepted: false, code }) };
    },
  };
};

const then = (events: readonly NewEvent[]) => ({
  then: (...expected: readonly { readonly type: string; readonly task: string; readonly data?: object }[]) =>
    expect(events.map((event) => ({ type: event.type, task: event.task, data: openEvent(event).data }))).toMatchObject(expected),
});

export const eventOf = <T extends DomainEvent['type']>(type: T, task: string, data?: Partial<EventOf<T>['data']>) => ({ type, task, ...(data && { data }) });
