import type { Json, RunId } from '@foldwork/events';
import { decideRun, isOpenRun, lookAtEverything, type RunState } from '@foldwork/domain';
import { NO_FAULTS, UNKIND, type Faults } from './faults';
import { generateStory } from './generate-story';
import { predictStory, type Prediction } from './predict-story';
import { Random } from './random';
import type { SimulatedAction } from './simulated-actions';
import { Simulation } from './simulation';
import type { Script, Story } from './story';

export interface Played {
  readonly story: Story;
  readonly prediction: Prediction;
  readonly sim: Simulation;
  readonly run: RunState;
  /** Where the engine did not do what the model says, or broke a law of its own. Empty: all is well. */
  readonly faults: readonly string[];
}

/** Tells, predicts and plays one story. Every other seed is played in an unkind world. */
export const playStory = async (seed: number): Promise<Played> => {
  const random = new Random(seed);
  const story = generateStory(random);
  const prediction = predictStory(story);
  const sim = new Simulation({ seed, faults: faultsOf(random), actions: { scripted: storyAction, undo: () => ({ output: null }), look: () => ({ output: null }) } });
  for (const definition of [story.definition, ...story.children]) sim.define(definition);
  const runId = await sim.request('story', { retry: { delayMs: 1_000, maximum: story.runRetries } });
  arrange(sim, story, runId);
  await sim.settle();
  const run = await sim.run(runId);
  return { story, prediction, sim, run, faults: [...compare(run, prediction), ...(await lawsBroken(sim, run))] };
};

/** An unkind world more often than not. */
export const faultsOf = (random: Random): Faults => (random.chance(0.4) ? NO_FAULTS : { ...UNKIND, crash: random.pick([0, 0.02, 0.06]) });

/** Does what the script in its input says. What was lost with a process does not change how it ends. */
export const storyAction: SimulatedAction = ({ input, call, task }) => {
  const { script, at } = input as unknown as { script: Script; at?: Json }; // the generator wrote it
  const ms = script.ms ?? 1;
  const fatal = script.fails === 'always' || (script.failsAt !== undefined && script.failsAt === at);
  if (fatal || (typeof script.fails === 'number' && call <= script.fails)) return { error: { code: 'SCRIPTED', message: 'as told' }, ms };
  const visit = Number(/#(\d+)$/.exec(task)?.[1] ?? '1');
  return { output: { more: visit < (script.untilVisit ?? 0) }, ms, effect: true };
};

const arrange = (sim: Simulation, story: Story, runId: RunId): void => {
  for (const { name, atMs } of story.signals) sim.at(atMs, () => sim.signal(runId, name, {}, { signalId: name }));
  if (story.pause === undefined) return;
  sim.at(story.pause.fromMs, () => sim.command(runId, { kind: 'pause' }));
  sim.at(story.pause.toMs, () => sim.command(runId, { kind: 'resume' }));
};

const compare = (run: RunState, prediction: Prediction): string[] => {
  const faults = run.status === prediction.run ? [] : [`the run is ${run.status}, the model says ${prediction.run} (${run.error?.code}: ${run.error?.message})`];
  for (const [path, status] of prediction.statuses) {
    const found = [...run.tasks.values()].find((task) => task.path === path)?.status;
    if (status !== undefined && (found ?? 'pending') !== status && !(status === 'failed' && found === 'timed_out')) faults.push(`${path} is ${found}, the model says ${status}`);
  }
  return faults;
};

/** Laws that hold for every run, whatever its definition. */
export const lawsBroken = async (sim: Simulation, run: RunState): Promise<string[]> => {
  const faults: string[] = [];
  for (const stuck of await sim.stuck()) faults.push(`run ${stuck.runId} of ${stuck.workflow} hangs in ${stuck.status}`);
  for (const id of sim.planner.runIds()) faults.push(...(await runLaws(sim, await sim.run(id))));
  if (run.executing.size > 0) faults.push(`after all: ${[...run.executing].join()} still executing`);
  return faults;
};

const runLaws = async (sim: Simulation, run: RunState): Promise<string[]> => {
  const faults: string[] = [];
  for (const task of run.tasks.values()) {
    const effects = sim.world.effectsOf(run.runId, task.path);
    if (task.effect?.class === 'once' && effects > 1) faults.push(`${task.path} took effect ${effects} times`);
    const endedAt = task.status === 'completed' ? task.endedAt : undefined;
    const late = sim.world.calls.some((call) => call.runId === run.runId && call.task === task.path && endedAt !== undefined && call.now > endedAt);
    if (late) faults.push(`${task.path} ran again after it had completed`);
  }
  return isOpenRun(run) ? faults : [...faults, ...aftermath(sim, run)];
};

/** A run that has ended decides nothing any more, however often somebody looks. */
const aftermath = (sim: Simulation, run: RunState): string[] => {
  const definition = sim.planner.definitionFor(run);
  lookAtEverything(run);
  const decision = decideRun(run, definition, { now: sim.now, metadata: { actor: 'model' }, quarantineMs: 0, isLost: () => false });
  return decision.events.length + decision.segments.length === 0 ? [] : [`the ended run ${run.status} decides ${decision.events.map(({ type, task }) => `${type}:${task}`).join()}`];
};
