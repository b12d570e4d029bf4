import {
  openEvent, parentPath, parseJson, refusalOf, stringifyJson, type DomainEvent, type Json, type NewEvent, type RecordedEvent, type RunId, type TaskPath,
} from '@foldwork/events';
import {
  decideRun, derivedSignalId, foldEvent, foldRun, LEASE_LOST, lookAtEverything, lookAtTask,
  type ChildRunView, type CompiledDefinition, type DecideContext, type RunState, type SignalDispatch,
} from '@foldwork/domain';
import { decisionAt, isDecided, startedBy } from './recorded-decisions';
import { QUARANTINE_MS } from '../planner.config';

/** Where the present code would go another way than the one that wrote the log. */
export interface Difference {
  readonly kind: 'decides_otherwise' | 'does_not_hand_out' | 'does_not_fold';
  /** Of the first event that differs. */
  readonly position: number;
  /** One line per event, `<task>: <what>`. */
  readonly recorded: readonly string[];
  readonly present: readonly string[];
}

export interface RunToReplay {
  /** All of one run, in log order. */
  readonly events: readonly RecordedEvent[];
  readonly definition: CompiledDefinition;
  /** A child run as it was when the log had come to this position. */
  readonly childRun: (runId: RunId, before: number) => ChildRunView | undefined;
}

/** A planner may have decided without the last events: others appended them while it did. So many at most. */
const UNSEEN_MAX = 20;
/** Rounds of one decision: a signal is sent, then what came of it is decided. */
const ROUNDS_MAX = 10;

/** Decides every decision of a recorded run once more. Resolves to the first difference, or nothing. Pure. */
export const replayRun = (input: RunToReplay): Difference | undefined => new Replay(input).run();

class Replay {
  private state: RunState | undefined;
  private readonly handedOut = new Set<string>();

  /** Of the whole run. */
  private readonly moves: ReadonlySet<string>;

  constructor(private readonly input: RunToReplay) {
    this.moves = new Set(input.events.map(moveOf));
  }

  run(): Difference | undefined {
    const { events } = this.input;
    for (let index = 0; index < events.length; ) {
      const decision = decisionAt(events, index);
      const difference = decision.length > 0 ? this.compare(index, decision) : this.requireHandedOut(index);
      if (difference !== undefined) return difference;
      const end = index + Math.max(1, decision.length);
      for (; index < end; index += 1) {
        const fault = this.fold(events[index]);
        if (fault !== undefined) return fault;
      }
    }
    return undefined;
  }

  private fold(event: RecordedEvent | undefined): Difference | undefined {
    if (event === undefined) return undefined;
    try {
      this.state = foldEvent(this.state, event);
      return undefined;
    } catch (error) {
      return { kind: 'does_not_fold', position: event.position, recorded: [describe(event)], present: [error instanceof Error ? error.message : String(error)] };
    }
  }

  /** What was decided here, decided again: with what the state holds, or as a planner that had not seen the last events. */
  private compare(index: number, recorded: readonly RecordedEvent[]): Difference | undefined {
    const known = this.state && this.decide(this.state, recorded);
    if (known !== undefined && known.length === recorded.length && this.agrees(known, recorded)) return undefined;
    let present: readonly NewEvent[] | undefined;
    for (const state of this.earlierStates(index, placesOf(recorded))) {
      const decided = this.decide(state, recorded);
      present ??= decided;
      if (!this.agrees(decided, recorded)) continue;
      this.refold(index);
      return undefined;
    }
    return { kind: 'decides_otherwise', position: recorded[0]?.position ?? 0, recorded: recorded.map(describe), present: (present ?? []).map(describe) };
  }

  /** All that was decided, and nothing more than what was decided later: a planner may be late with what is due. */
  private agrees(present: readonly NewEvent[], recorded: readonly RecordedEvent[]): boolean {
    const facts = new Set(recorded.map(factOf));
    const more = present.filter((event) => !facts.delete(factOf(event)));
    return facts.size === 0 && more.every((event) => this.moves.has(moveOf(event)));
  }

  /** An executor began something: the present code would have asked for it, too. */
  private requireHandedOut(index: number): Difference | undefined {
    const event = this.input.events[index];
    if (event === undefined || this.state === undefined) return undefined;
    const wanted = startedBy(event).filter((key) => !this.handedOut.has(key));
    if (wanted.length === 0) return undefined;
    const holdsAll = (): boolean => wanted.every((key) => this.handedOut.has(key));
    const decided = this.decide(this.state, [event]);
    if (decided.length > 0) this.refold(index);
    if (holdsAll()) return undefined;
    for (const state of this.earlierStates(index)) {
      this.decide(state, [event]);
      if (holdsAll()) return undefined;
    }
    return { kind: 'does_not_hand_out', position: event.position, recorded: [describe(event)], present: decided.map(describe) };
  }

  private refold(index: number): void {
    this.state = foldRun(this.input.events.slice(0, index));
  }

  /**
   * The run as a planner knew it that had its own events and had yet to see the last ones of others. Of things due at one
   * moment it may have looked at some before the others, so each state comes a second time with only these places marked.
   */
  private *earlierStates(index: number, places: readonly TaskPath[] = []): Generator<RunState> {
    const past = this.input.events.slice(0, index);
    const others = past.flatMap((event, at) => (at > 0 && !isDecided(event) ? [event] : []));
    for (let unseen = 0; unseen <= Math.min(UNSEEN_MAX, others.length); unseen += 1) {
      const hidden = new Set(others.slice(others.length - unseen));
      const known = past.filter((event) => !hidden.has(event));
      const state = foldRun(known);
      if (state === undefined) return;
      lookAtEverything(state);
      yield state;
      const focused = places.length === 0 ? undefined : foldRun(known);
      if (focused === undefined) continue;
      focused.dirty.clear(); // the state is this replay's own
      for (const place of places) lookAtTask(focused, place);
      yield focused;
    }
  }

  private decide(state: RunState, recorded: readonly RecordedEvent[]): NewEvent[] {
    const produced: NewEvent[] = [];
    const context = contextOf(state, recorded, this.input);
    for (let round = 0; round < ROUNDS_MAX; round += 1) {
      const { events, segments } = decideRun(state, this.input.definition, context);
      for (const { path, undo } of segments.flat()) this.handedOut.add(undo === true ? `undo ${path}` : path);
      produced.push(...events);
      if (events.length === 0 || produced.length >= recorded.length) break;
    }
    return produced;
  }
}

/** Where somebody must have looked to decide this; what was canceled was not looked at for its own sake. */
const placesOf = (recorded: readonly RecordedEvent[]): TaskPath[] =>
  recorded.filter(({ data }) => !data.includes('"transition":"cancel"')).flatMap(({ task }) => [task, ...(task === '' ? [] : [parentPath(task)])]);

/** What the recorded decision knew besides the run: the time, and what had come of executors, child runs and signals. */
const contextOf = (state: RunState, recorded: readonly RecordedEvent[], { childRun }: RunToReplay): DecideContext => {
  const opened = recorded.map((event) => ({ event, fact: openEvent(event) }));
  const [first] = opened;
  const lost = new Set(opened.flatMap(({ event, fact }) => (isLoss(fact) ? (state.tasks.get(event.task)?.executor ?? []) : [])));
  const overdue = new Set(opened.flatMap(({ event, fact }) => (fact.type === 'TaskTransitioned' && fact.data.error?.code === 'TASK_TIMEOUT' ? event.task : [])));
  const outcomes = new Map(opened.flatMap(({ event, fact }) => outcomeOf(event, fact)));
  const refused = (task: TaskPath | undefined): ChildRunView | undefined => {
    const failed = opened.find(({ event, fact }) => event.task === task && fact.type === 'TaskTransitioned' && fact.data.transition === 'fail')?.fact;
    if (failed?.type !== 'TaskTransitioned' || failed.data.error === undefined) return undefined;
    return { status: 'refused', attempt: state.tasks.get(task ?? ('' as TaskPath))?.childRun?.attempt ?? 1, error: failed.data.error };
  };
  return {
    now: (first?.fact.data.at) ?? 0,
    metadata: { actor: 'check' },
    quarantineMs: QUARANTINE_MS,
    refusalOf,
    isLost: (executor) => lost.has(executor),
    isTakingLong: (task) => overdue.has(task),
    childRun: (runId) => childRun(runId, first?.event.position ?? 0) ?? refused(state.childRuns.get(runId)),
    dispatched: (signalId) => outcomes.get(signalId),
  };
};

const isLoss = (fact: DomainEvent): boolean =>
  (fact.type === 'TaskTransitioned' && fact.data.error?.code === LEASE_LOST) || (fact.type === 'TaskUndoTransitioned' && fact.data.to === 'started' && fact.data.attempt > 1);

/** What a signal's sender recorded of its delivery. */
const outcomeOf = ({ runId, task }: RecordedEvent, fact: DomainEvent): readonly (readonly [string, SignalDispatch])[] => {
  if (fact.type !== 'TaskTransitioned') return [];
  const { transition, output, error } = fact.data;
  if (transition === 'fail' && error !== undefined) return [[derivedSignalId(runId, task), { error }]];
  return transition === 'complete' ? [[derivedSignalId(runId, task), { targets: targetsIn(output) }]] : [];
};

const targetsIn = (output: Json | undefined): string[] => {
  const targets = typeof output === 'object' && output !== null && 'targets' in output ? output.targets : undefined;
  return Array.isArray(targets) ? targets.filter((each) => typeof each === 'string') : [];
};

const factOf = ({ task, version, type, data }: NewEvent): string => `${task}\n${version}\n${type}\n${stringifyJson(inOrder(parseJson(data)))}`;

/** What happens to a stream, whenever it does. */
const moveOf = ({ task, version, type, data }: NewEvent): string => `${task}\n${version}\n${type}\n${/"transition":"(\w+)"/.exec(data)?.[1] ?? ''}`;

/** Releases may write members in another order. */
const inOrder = (value: Json): Json => {
  if (Array.isArray(value)) return value.map(inOrder);
  if (typeof value !== 'object' || value === null || Object.getPrototypeOf(value) !== Object.prototype) return value;
  return Object.fromEntries(Object.entries(value).toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([key, member]) => [key, inOrder(member as Json)]));
};

const describe = ({ task, type, data }: NewEvent): string => {
  const facts = parseJson(data) as { transition?: string; to?: string; error?: { code?: string } }; // every event is an object
  const words = [facts.transition ?? type, facts.to, facts.error?.code].filter((word) => word !== undefined);
  return `${task === '' ? 'the run' : task}: ${words.join(' ')}`;
};
