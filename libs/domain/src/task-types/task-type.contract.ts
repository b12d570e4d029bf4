import { Simulation, scripted, UNKIND, type SimulationOptions } from '@foldwork/testing';
import { openEvent, type RecordedEvent, type TaskTransitioned } from '@foldwork/events/contracts';
import { createDefinitionLanguage } from '../definition/definition-language';
import { decideRun, lookAtEverything } from '../run/decide-run';
import { foldRun } from '../run/fold-run';
import { taskTypes } from './registry';

/** A task of the type under test, as its fields besides `id` and `type`. */
export interface TaskTypeSample {
  readonly type: string;
  /** Completes; a signal `go` comes along. */
  readonly fields: string;
  /** What its result matches then. */
  readonly output: unknown;
  /** Does not complete, and the code of the reason. */
  readonly failing: { readonly fields: string; readonly code: string };
}

const CHILD = 'workflow: child\ntasks:\n  - { id: only, type: basic, action: step, with: { output: { n: 7 } } }';
const workflow = (type: string, fields: string): string =>
  `workflow: sample\ntasks:\n  - { id: it, type: ${type}, ${fields} }\n  - { id: after, type: basic, action: step, with: { output: '\${ tasks.it.output }' } }`;

/** One run of the sample, with the signal it may wait for, and one that nobody waits for if asked. */
const play = async (type: string, fields: string, { unasked = false, ...options }: SimulationOptions & { readonly unasked?: boolean } = {}) => {
  const sim = new Simulation({ actions: { step: scripted }, ...options });
  const { parseDefinition } = createDefinitionLanguage(taskTypes.definitions());
  const { definition, diagnostics } = parseDefinition(workflow(type, fields));
  if (definition === undefined) throw new Error(JSON.stringify(diagnostics));
  sim.define(CHILD);
  const compiled = sim.define(definition);
  const runId = await sim.request('sample');
  if (unasked) sim.at(5, () => sim.signal(runId, 'unasked', {}, { signalId: 'unasked' }));
  sim.at(10, () => sim.signal(runId, 'go', { n: 1 }, { signalId: 'go' }));
  await sim.settle();
  return { sim, compiled, runId, run: await sim.run(runId), it: await sim.task(runId, 'it'), events: await sim.events(runId) };
};

const transitionsOf = (events: readonly RecordedEvent[], below = ''): (TaskTransitioned & { readonly task: string })[] =>
  events.flatMap((recorded) => {
    const event = openEvent(recorded);
    return event.type === 'TaskTransitioned' && recorded.task.startsWith(below) ? [{ task: recorded.task, ...event.data }] : [];
  });

/** Everything that may be decided of a run with this history, at this moment and with nothing known from outside. */
const decided = ({ events, compiled, sim }: Awaited<ReturnType<typeof play>>, length: number) => {
  const run = foldRun(events.slice(0, length));
  if (run === undefined) throw new Error('a run begins with its request');
  const context = { now: sim.now, metadata: { actor: 'test' }, quarantineMs: 0, isLost: () => false };
  const look = () => {
    lookAtEverything(run);
    return decideRun(run, compiled, context);
  };
  return { first: look(), again: look() };
};

/** One suite for every task type: planning, settling, signalling and aggregation go the same way through the registry. */
export const describeTaskType = ({ type, fields, output, failing }: TaskTypeSample): void => {
  describe(`task type: ${type}`, () => {
    it('[S3-02] planning: it is planned as pending with its list, and its children in the append that begins it', async () => {
      const { events } = await play(type, fields);
      const plan = events.map(openEvent).find((event) => event.type === 'RunPlanned');
      expect(plan?.data).toMatchObject({ tasks: [{ id: 'it', type }, { id: 'after', type: 'basic' }] });
      const [first, ...later] = transitionsOf(events, 'it');
      expect(first).toMatchObject({ task: 'it', from: 'pending', attempt: 1 });
      const below = new Set(later.map(({ task }) => task).filter((task) => task !== 'it'));
      expect(first?.children?.childCount ?? 0).toBe(below.size);
    });

    it('[S3-02] settling: the same history gives the same decision; looking again decides nothing more', async () => {
      const played = await play(type, fields);
      for (let length = 1; length <= played.events.length; length += 1) {
        const [one, other] = [decided(played, length), decided(played, length)];
        expect(one.first.events).toEqual(other.first.events);
        expect(one.first.segments).toEqual(other.first.segments);
        expect(one.again.events).toEqual([]);
      }
    });

    it('[S3-02] settling: it ends once and the same way, whatever is lost, doubled or dies', async () => {
      for (let seed = 1; seed <= 25; seed += 1) {
        const { run, it: task, events } = await play(type, fields, { seed, faults: UNKIND });
        expect([seed, run.status, task.status]).toEqual([seed, 'succeeded', 'completed']);
        expect((run.endedAt ?? 0) - run.request.at).toBeLessThan(600_000); // nothing is left lying until some limit
        expect(transitionsOf(events).filter((each) => each.task === 'it' && each.to === 'completed')).toHaveLength(1);
      }
    });

    it('[S3-02] settling: what goes wrong in it fails it with its reason, and nothing behind it begins', async () => {
      const { run, it: task } = await play(type, failing.fields);
      expect(task).toMatchObject({ status: 'failed', error: { code: failing.code } });
      expect(run).toMatchObject({ status: 'failed', failedTask: 'it', error: { code: failing.code } });
      expect(run.tasks.get('after' as never)?.status).toBe('pending');
    });

    it('[S3-02] signalling: a signal that it does not wait for changes nothing, and is kept', async () => {
      const [quiet, disturbed] = [await play(type, fields), await play(type, fields, { unasked: true })];
      const moves = ({ events }: typeof quiet) => transitionsOf(events).map(({ task, transition, to, attempt }) => [task, transition, to, attempt]);
      expect(moves(disturbed)).toEqual(moves(quiet));
      expect(disturbed.run.signals.get('unasked')).toMatchObject({ consumed: false });
    });

    it('[S3-02] signalling: one that comes when it has ended writes nothing', async () => {
      const { sim, runId, events } = await play(type, fields);
      await sim.signal(runId, 'go', {}, { signalId: 'late' });
      await sim.settle();
      expect((await sim.events(runId)).slice(events.length).map(({ type: name }) => name)).toEqual(['SignalReceived']);
    });

    it('[S3-02] aggregation: its result is what it gives, held against its schema, and tasks behind it see it', async () => {
      const { sim, runId, it: task } = await play(type, fields);
      expect(task.output).toEqual(output);
      expect((await sim.task(runId, 'after')).output).toEqual(task.output);
      const refused = await play(type, `${fields}, output: false`);
      expect(refused.it).toMatchObject({ status: 'failed', error: { code: 'OUTPUT_INVALID' } });
    });
  });
};
