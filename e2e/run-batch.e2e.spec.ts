import { formatRunId } from '@foldwork/events';
import { onceTask, task, workflow } from './harness/definitions';
import { LogAccount } from './harness/log-account';
import type { System } from './harness/system';
import { throughout } from './harness/throughout';

const RUNS = 200;

let system: System;
throughout({ onceTasks: ['upload'] }, (started) => (system = started));

const JOB = workflow('bulk', [task('validate'), onceTask('upload', { delayMs: 10 }), task('save', { output: { saved: true } })], { output: { saved: '${ tasks.save.output.saved }' } });
const ALL = Array.from({ length: RUNS }, (_, index) => ({ workflow: 'bulk', input: { index }, idempotencyKey: `bulk-${index}` }));

interface Result {
  readonly status: number;
  readonly runId: string;
}

const submitAll = async (runs: readonly object[]): Promise<{ readonly status: number; readonly results: readonly Result[] }> => {
  const { status, body } = await system.api.call('POST', '/orchestrator/runs/batch', { runs });
  return { status, results: (body as { results: Result[] }).results };
};

it('finishes all runs of one request though the executor is killed in the middle; what was completed does not run again', async () => {
  const { api, world, log } = system;
  expect((await api.call('PUT', '/orchestrator/workflows/bulk', JOB)).status).toBe(201);
  const { status, results } = await submitAll([...ALL, { workflow: 'unheard-of' }]);
  expect([status, results.at(-1)?.status]).toEqual([207, 400]);
  const runs = results.slice(0, RUNS).map(({ runId }) => runId);

  await world.when(() => world.calls.length > RUNS);
  await system.kill('executor');
  const { attempts } = await LogAccount.read(log);
  const completed = attempts.filter(({ ended }) => ended === 'completed');
  expect(completed.length).toBeGreaterThan(0);
  expect(completed.length).toBeLessThan(3 * RUNS);
  expect(await submitAll(ALL)).toEqual({ status: 202, results: runs.map((runId) => ({ status: 200, runId })) }); // as one whose answer was lost
  system.launch('executor');

  for (const { output } of await Promise.all(runs.map((run) => api.succeeded(run, 30_000)))) expect(output).toEqual({ saved: true });
  for (const { run, task: path } of completed) expect([run, path, world.callsOf(run, path).length]).toEqual([run, path, 1]);
  const account = await LogAccount.read(log);
  expect(account.faults).toEqual([]);
  const requested = account.events.filter(({ type }) => type === 'RunRequested').map(({ runId }) => formatRunId(runId));
  expect(requested).toEqual(runs);
}, 60_000);
