import type { RunId } from '@foldwork/events';
import type { OperatorCommand, RunState } from '@foldwork/domain';
import { generateStory } from './generate-story';
import { faultsOf, lawsBroken, storyAction } from './play-story';
import { Random } from './random';
import { Simulation } from './simulation';

const LONGEST_MS = 7_200_000;
/** A person who answers may meet the next question. */
const ANSWERS_MAX = 6;

/**
 * Plays a story while people pause, resume, retry, cancel and resolve at odd moments, sometimes in a lane with two others of
 * its kind. Nobody predicts how it ends; that it ends, and what no run may ever do, the laws say. Returns what is broken.
 */
export const playDisturbedStory = async (seed: number): Promise<readonly string[]> => {
  const random = new Random(seed * 7_919 + 13); // not the stories of `playStory`
  const story = generateStory(random);
  const undo = () => ({ output: null, ms: random.pick([1, 50, 900]) });
  const sim = new Simulation({ seed, faults: faultsOf(random), actions: { scripted: storyAction, undo, look: () => ({ output: null }) } });
  for (const definition of [...story.children, story.definition]) sim.define(definition);
  const runIds = await requestSome(sim, random);
  for (const runId of runIds) for (const { name, atMs } of story.signals) sim.at(atMs, () => sim.signal(runId, name, {}, { signalId: name }));
  for (let count = random.below(12); count > 0; count -= 1) sim.at(random.below(random.pick([300, 3_000, 30_000])), () => disturb(sim, random));
  await sim.pass(LONGEST_MS);
  for (let round = 0; round < ANSWERS_MAX; round += 1) await letGoOn(sim, random);
  return (await Promise.all(runIds.map(async (runId) => lawsBroken(sim, await sim.run(runId))))).flat();
};

const requestSome = async (sim: Simulation, random: Random): Promise<RunId[]> => {
  const inLane = random.chance(0.3);
  const runIds: RunId[] = [];
  for (let count = inLane ? 3 : 1; count > 0; count -= 1) {
    const retry = { delayMs: random.pick([0, 1_000]), maximum: random.below(3) };
    runIds.push(await sim.request('story', { retry, ...(inLane && { lane: { key: 'k', limit: 1 } }) }));
  }
  return runIds;
};

const disturb = async (sim: Simulation, random: Random): Promise<void> => {
  const runIds = [...sim.planner.runIds()];
  if (runIds.length === 0) return; // the planner has just come back
  const runId = random.pick(runIds);
  const run = await sim.run(runId);
  const commands: OperatorCommand[] = [{ kind: 'pause' }, { kind: 'resume' }, { kind: 'resume' }, { kind: 'retry' }, { kind: 'retry' }, ...escalated(run, random)];
  await sim.command(runId, random.chance(0.05) ? { kind: 'cancel' } : random.pick(commands));
};

/** What waits for people gets what it waits for. */
const letGoOn = async (sim: Simulation, random: Random): Promise<void> => {
  for (const runId of sim.planner.runIds()) if ((await sim.run(runId)).paused) await sim.command(runId, { kind: 'resume' });
  await sim.settle();
  for (const runId of sim.planner.runIds()) {
    const run = await sim.run(runId);
    const [answer] = run.status === 'escalated' ? escalated(run, random) : [];
    if (answer !== undefined) await sim.command(runId, answer);
  }
  await sim.settle();
};

const escalated = ({ tasks }: RunState, random: Random): OperatorCommand[] =>
  [...tasks.values()].filter(({ status }) => status === 'escalated')
    .map(({ path }) => ({ kind: 'resolve', task: path, as: random.pick(['completed', 'failed'] as const), reason: 'a person has looked' }));
