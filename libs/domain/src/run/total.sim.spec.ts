import { playStory, stateText } from '@foldwork/testing';
import type { NewEvent, RecordedEvent, TaskPath } from '@foldwork/events/contracts';
import { definitionHash } from '../definition/definition-hash';
import { compileDefinition } from '../plan/compile-definition';
import type { CompiledDefinition } from '../plan/compiled-definition';
import type { DecideContext } from './deciding';
import { decideRun, lookAtEverything, type RunDecision } from './decide-run';
import { foldRun } from './fold-run';
import { decideOperatorCommand, type OperatorCommand, type OperatorDecision } from './operator.decider';
import type { RunState } from './run.state';

/**
 * Deciding is total and pure: in every state that any log has ever led to, after each of its events, whatever the time is
 * and whoever is lost, each command of a person and each look of a planner ends with a value; the same one each time; and
 * what it did to the state is what its events say.
 */
const SEEDS = 25;
const PREFIXES_MAX = 6;
const RESOLVED_MAX = 4;

const fold = (events: readonly RecordedEvent[]): RunState => {
  const run = foldRun(events);
  if (run === undefined) throw new Error('the first event is the request');
  return run;
};

/** Some beginnings of the log, evenly spread. */
const prefixesOf = (events: readonly RecordedEvent[]): RecordedEvent[][] => {
  const step = Math.max(1, Math.ceil(events.length / PREFIXES_MAX));
  return Array.from({ length: Math.ceil(events.length / step) }, (_, index) => events.slice(0, index * step + 1));
};

const commandsFor = (run: RunState): OperatorCommand[] => {
  const paths = ['nothing/at/all' as TaskPath, ...run.tasks.keys()].slice(0, RESOLVED_MAX);
  return [
    { kind: 'retry' }, { kind: 'cancel', reason: 'why not' }, { kind: 'pause' }, { kind: 'resume' },
    ...['nothing', '__proto__', ...run.rootTasks].map((resumeFromStep) => ({ kind: 'retry', resumeFromStep }) as const),
    ...paths.flatMap((path) => [{ kind: 'resolve', task: path, as: 'completed', output: { by: 'hand' }, reason: 'seen' }, { kind: 'resolve', task: path, as: 'failed', reason: 'seen' }] as const),
  ];
};

const CONTEXTS: readonly DecideContext[] = [0, 8_000_000_000_000].flatMap((now) =>
  [true, false].map((lost) => ({ now, isLost: () => lost, metadata: { actor: 'anybody' }, quarantineMs: 2_000 })));

interface Outcome {
  readonly decision: unknown;
  readonly state: string;
}

/** Child runs that nobody waits for any more are forgotten in memory. */
const textOf = (run: RunState): string => stateText({ ...run, position: 0, childRuns: new Map() });

/** Decides on a fold of its own, and again on what the events alone make of the log. */
const outcomeOf = (prefix: readonly RecordedEvent[], decide: (run: RunState) => OperatorDecision | RunDecision): Outcome => {
  const run = fold(prefix);
  const decision = decide(run);
  const events: readonly NewEvent[] = 'events' in decision ? decision.events : [];
  const made = events.map((event, index) => ({ ...event, position: prefix.length + index + 1, recordedAt: 0, hash: '' }));
  const placed = prefix.map((event, index) => ({ ...event, position: index + 1 }));
  const state = textOf(run);
  expect(textOf(fold([...placed, ...made]))).toBe(state);
  return { decision, state };
};

const lookAt = (definition: CompiledDefinition, context: DecideContext, everything: boolean) => (run: RunState) => {
  if (everything) lookAtEverything(run);
  return decideRun(run, definition, context);
};

it('whatever is asked of whatever state, at whatever time', async () => {
  const answers = new Set<string>();
  for (let seed = 1; seed <= SEEDS; seed += 1) {
    const { sim, story } = await playStory(seed);
    const compiled = new Map([story.definition, ...story.children].map((each) => [definitionHash(each), compileDefinition(each, definitionHash(each))]));
    for (const events of Map.groupBy(await sim.log.readAfter(0, 99_999), ({ runId }) => runId).values()) {
      const definition = compiled.get(fold(events).definition);
      if (definition === undefined) throw new Error('not of this story');
      for (const prefix of prefixesOf(events)) {
        for (const command of commandsFor(fold(prefix))) {
          const decide = (run: RunState) => decideOperatorCommand(run, command, { now: 7, metadata: { actor: 'anybody' } });
          const first = outcomeOf(prefix, decide);
          expect(outcomeOf(prefix, decide)).toEqual(first);
          const { accepted, code } = first.decision as { accepted: boolean; code?: string };
          answers.add(`${command.kind} ${accepted ? 'accepted' : code}`);
        }
        for (const context of CONTEXTS) for (const everything of [true, false]) {
          const first = outcomeOf(prefix, lookAt(definition, context, everything));
          expect(outcomeOf(prefix, lookAt(definition, context, everything))).toEqual(first);
        }
      }
    }
  }
  expect([...answers].sort()).toEqual([
    'cancel accepted', 'cancel cancel_not_allowed', 'pause accepted', 'pause pause_not_allowed', 'resolve task_not_escalated', 'resolve task_not_found',
    'resume accepted', 'resume resume_not_allowed', 'retry accepted', 'retry invalid_resume_step', 'retry retry_not_allowed',
  ]);
}, 120_000);
