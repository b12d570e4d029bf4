import { foldRun, type RunState } from '@foldwork/domain';
import type { RecordedEvent } from '@foldwork/events/contracts';
import { playStory, Simulation } from '@foldwork/testing';
import { COUNT_BY_STATUS } from '../run-status';
import { projectReadModels } from './read-models.projection';

const SEEDS = 300;

/** What a list shows of a run, from its folded log. */
const summaryOfFold = (run: RunState | undefined): object => {
  if (run === undefined) return {};
  const tasks = { total: run.tasks.size, active: 0, completed: 0, failed: 0, skipped: 0, canceled: 0 };
  for (const { status } of run.tasks.values()) {
    const count = COUNT_BY_STATUS[status];
    if (count !== undefined) tasks[count] += 1;
  }
  return {
    status: run.status === 'rolling_back' ? 'running' : run.status,
    attempt: run.attempt, startedAt: run.startedAt, finishedAt: run.endedAt, events: run.eventCount, position: run.position,
    error: run.error && { code: run.error.code, message: run.error.message }, tasks,
  };
};

/** The same from the projection. */
const summaryOfProjection = (events: readonly RecordedEvent[]): object => {
  const [change] = projectReadModels(events).runs;
  return {
    status: change?.status?.status, attempt: change?.attempt ?? 1, startedAt: change?.startedAt, finishedAt: change?.status?.finishedAt,
    events: change?.events, position: change?.position, error: change?.status?.error, tasks: change?.tasks,
  };
};

const expectAgreement = async ({ log, planner }: Simulation, seed?: number): Promise<void> => {
  for (const runId of planner.runIds()) {
    const events = await log.readRuns([runId]);
    for (let count = 1; count <= events.length; count += 1) {
      const part = events.slice(0, count);
      const told = { seed, runId, last: part.at(-1) };
      expect({ ...told, ...summaryOfProjection(part) }).toEqual({ ...told, ...summaryOfFold(foldRun(part)) });
    }
  }
};

describe('a list shows of each run, after each of its events, what the run itself shows', () => {
  it(`in ${SEEDS} stories, also when they are tried again and canceled`, async () => {
    for (let seed = 1; seed <= SEEDS; seed += 1) {
      const { sim } = await playStory(seed);
      for (const runId of sim.planner.runIds()) {
        await sim.command(runId, { kind: 'retry' });
        await sim.pass((seed % 7) * 3);
        await sim.command(runId, { kind: 'cancel' });
      }
      await sim.settle();
      await expectAgreement(sim, seed);
    }
  }, 120_000);

  it('when a failed run is canceled before it is tried again', async () => {
    const sim = new Simulation({ actions: { fail: () => ({ error: { code: 'BROKEN', message: 'it broke' } }) } });
    sim.define('workflow: fails\ntasks: [{ id: only, type: basic, action: fail }]');
    const runId = await sim.request('fails', { retry: { delayMs: 60_000, maximum: 1 } });
    await sim.pass(10_000);
    expect((await sim.run(runId)).status).toBe('failed');
    await sim.command(runId, { kind: 'cancel' });
    await sim.settle();
    expect((await sim.run(runId)).status).toBe('canceled');
    await expectAgreement(sim);
  });
});
