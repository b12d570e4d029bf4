import { onceTask, RETRY_AT_ONCE, task, workflow } from './harness/definitions';
import { LogAccount } from './harness/log-account';
import type { System } from './harness/system';
import { throughout } from './harness/throughout';

const SERVICES = ['gateway-1', 'gateway-2', 'planner-1', 'planner-2', 'executor-1', 'executor-2', 'executor-3', 'executor-4', 'auditor-1', 'auditor-2'];
const RUNS = 80;

let system: System;
throughout({
  services: SERVICES,
  env: { FOLDWORK_EXECUTOR_LEASE: '1500ms', FOLDWORK_PLANNER_LEASE: '1500ms', FOLDWORK_EXECUTOR_CONCURRENCY: '10' },
  onceTasks: ['upload'],
}, (started) => (system = started));

const JOB = workflow('many', [
  task('validate'),
  task('flaky', { failFirst: 1 }, { retry: RETRY_AT_ONCE }),
  onceTask('upload', { dropFirst: 1 }, { retry: RETRY_AT_ONCE }),
  task('save', { output: { saved: true } }),
], { output: { saved: '${ tasks.save.output.saved }' } });
const submitMany = (name: string): Promise<string[]> =>
  Promise.all(Array.from({ length: RUNS }, (_, index) => system.apiOf(index % 2 === 0 ? 'gateway-1' : 'gateway-2').submit(JOB, {}, `${name}-${index}`)));

describe('two gateways, two planners, four executors, two auditors', () => {
  it('give the same results as one of each', async () => {
    const { api, world, log } = system;
    const runs = await submitMany('all-well');
    for (const detail of await Promise.all(runs.map((run) => api.succeeded(run, 30_000)))) {
      expect(detail.output).toEqual({ saved: true });
      expect(world.callsOf(detail.runId).map((call) => call.task)).toEqual(['validate', 'flaky', 'flaky', 'upload', 'save']);
    }
    const account = await LogAccount.read(log);
    expect(account.faults).toEqual([]);
    const executors = new Set(account.attempts.map(({ executor }) => executor?.split('#')[0]));
    expect([...executors].sort()).toEqual(['executor-1', 'executor-2', 'executor-3', 'executor-4']);
    const planners = new Set(account.events.filter(({ type }) => type === 'RunPlanned').map(({ metadata }) => (JSON.parse(metadata) as { actor: string }).actor));
    expect([...planners].sort()).toEqual(['planner:planner-1', 'planner:planner-2']);
  }, 60_000);

  it('finish everything when one planner, two executors and one auditor die and never come back', async () => {
    const { api, world } = system;
    const submitting = submitMany('halved');
    await world.when(() => world.calls.length > 420);
    await system.kill('planner-2', 'executor-3', 'executor-4', 'auditor-1');
    const runs = await submitting;
    await Promise.all(runs.map((run) => api.succeeded(run, 30_000)));
    for (const run of runs) expect(world.effects.filter((effect) => effect.run === run && effect.task === 'upload')).toHaveLength(1);
  }, 60_000);
});
