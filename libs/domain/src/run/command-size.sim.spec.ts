import { Simulation, scripted } from '@foldwork/testing';
import { stringifyJson, type Json } from '@foldwork/events/contracts';
import type { RunDecision } from './decide-run';
import type { RunState } from './run.state';
import { stepCommands } from './step-command';

const NATS_MAX = 1_048_576;
const TASKS = Array.from({ length: 40 }, (_, index) => `{ id: t${index}, type: basic, action: step }`).join(', ');

/** How the run ends, how much its tasks were run, and the sizes of its commands. */
const played = async (tasks: string, input: Json) => {
  const sizes: number[] = [];
  const onDecision = (run: RunState, decision: RunDecision): void => {
    sizes.push(...stepCommands(run, definition, decision, 'epoch').map((command) => stringifyJson(command).length));
  };
  const sim = new Simulation({ actions: { step: scripted }, onDecision });
  const definition = sim.define(`workflow: w\ntasks: [ ${tasks} ]\noutput: '\${ tasks.size() }'\n`);
  const runId = await sim.request('w', { input });
  await sim.settle();
  return { status: (await sim.run(runId)).status, calls: sim.world.calls.length, largest: Math.max(...sizes), commands: sizes.length };
};

const LARGE = 'x'.repeat(100_000);

it.each([
  ['tasks of a row that share an input', `{ id: all, type: composite, with: { text: '\${ input.text }' }, tasks: [ ${TASKS} ] }`, { text: LARGE }, 40],
  ['branches that share an input', `{ id: all, type: parallel, with: { text: '\${ input.text }' }, tasks: [ ${TASKS} ] }`, { text: LARGE }, 40],
  ['large items beside each other', `{ id: all, type: collection, items: input.list, each: [ { id: e, type: basic, action: step } ] }`, { list: Array.from({ length: 30 }, (_, n) => `${n}${LARGE}`) }, 30],
  ['large items in a row', `{ id: all, type: collection, mode: sequential, items: input.list, each: [ { id: e, type: basic, action: step } ] }`, { list: Array.from({ length: 30 }, (_, n) => `${n}${LARGE}`) }, 30],
])('commands stay small enough for the bus: %s', async (_case, tasks, input, calls) => {
  const { largest, ...end } = await played(tasks, input);
  expect(end).toMatchObject({ status: 'succeeded', calls });
  expect(largest).toBeLessThan(NATS_MAX);
});

it('small tasks still travel together', async () => {
  expect(await played(`{ id: all, type: composite, with: { n: 1 }, tasks: [ ${TASKS} ] }`, {})).toMatchObject({ status: 'succeeded', calls: 40, commands: 1 });
});
