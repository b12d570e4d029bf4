import { setTimeout as sleep } from 'node:timers/promises';
import { onceTask, RETRY_AT_ONCE, task, workflow } from './harness/definitions';
import { LogAccount } from './harness/log-account';
import { ONE_OF_EACH, type System } from './harness/system';
import { throughout } from './harness/throughout';

/** Kills in a row; a larger number from outside looks longer for what a short storm does not find. */
const KILLS = Number(process.env['FOLDWORK_TEST_STORM_KILLS'] ?? 8);
const RUNS = KILLS * 10;

let system: System;
throughout({ ownPostgres: true, env: { FOLDWORK_EXECUTOR_LEASE: '3s', FOLDWORK_PLANNER_LEASE: '3s' }, onceTasks: ['upload', 'recorded'] }, (started) => (system = started));

const JOB = workflow('storm', [
  task('validate', { delayMs: 20 }),
  task('flaky', { failFirst: 1 }, { retry: { ...RETRY_AT_ONCE, maximumAttempts: 20 } }),
  onceTask('upload', { dropFirst: 1, delayMs: 20 }, { retry: { ...RETRY_AT_ONCE, maximumAttempts: 20 } }),
  onceTask('recorded', { delayMs: 20 }, { action: 'world.recorded', retry: { ...RETRY_AT_ONCE, maximumAttempts: 20 } }),
  task('save'),
]);

/** A fixed order of victims that hits each of them, in every combination of two. */
const VICTIMS = [...ONE_OF_EACH, 'nats', 'executor', 'postgres', 'planner', 'executor', 'auditor', 'gateway', 'planner'];

const strike = async (victim: string): Promise<void> => {
  if (victim === 'nats' || victim === 'postgres') {
    await system[victim].kill();
    return system[victim].restart();
  }
  await system.kill(victim);
  system.launch(victim);
  await system.ready(victim);
};

it('a storm of kills over all services and servers: every run finishes, nothing is lost or doubled', async () => {
  const { api, world } = system;
  let isOver = false;
  const accepted: Promise<string>[] = [];
  const submitting = (async () => {
    for (let index = 0; index < RUNS && !(isOver && index > RUNS / 2); index += 1) {
      accepted.push(api.submitPatiently(JOB, `storm-${index}`, 60_000));
      await sleep(KILLS * 1_000 / RUNS);
    }
  })();
  for (let kill = 0; kill < KILLS; kill += 1) {
    await strike(VICTIMS[kill % VICTIMS.length]!);
    await sleep(50 + (kill * 37) % 200);
  }
  isOver = true;
  const calmAt = performance.now();
  await submitting;
  const runs = await Promise.all(accepted);
  await Promise.all(runs.map((run) => api.succeeded(run, 60_000)));
  if (process.env['FOLDWORK_TEST_FIGURES'] !== undefined) process.stdout.write(`storm: ${runs.length} runs, all finished ${Math.round(performance.now() - calmAt)} ms after the last restart\n`);
  for (const run of runs) {
    for (const path of ['upload', 'recorded']) expect([run, path, world.effects.filter((effect) => effect.run === run && effect.task === path).length]).toEqual([run, path, 1]);
  }
  expect((await LogAccount.read(system.log)).faults).toEqual([]);
}, 60_000 + KILLS * 10_000);
