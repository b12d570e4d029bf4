import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { join } from 'node:path';
import { freePort } from '@foldwork/testing';
import { System } from './harness/system';
import { taskOf, Workflows } from './harness/workflows';
import { until } from './harness/until';

/** Counters as the auditor sends them. */
const counters = new Map<string, number>();
let sink: Socket;
let system: System;
let flows: Workflows;
let plannerHealth: string;

beforeAll(async () => {
  sink = createSocket('udp4').on('message', (message) => {
    for (const [, name = '', count] of message.toString().matchAll(/^(.+):(\d+)\|c/gm)) counters.set(name, (counters.get(name) ?? 0) + Number(count));
  });
  sink.bind(0, '127.0.0.1');
  await once(sink, 'listening');
  const env = { NODE_OPTIONS: `--require ${join(__dirname, 'harness/aggregate-v2.process.cjs')}`, FOLDWORK_STATSD_HOST: '127.0.0.1', FOLDWORK_STATSD_PORT: String(sink.address().port) };
  system = await System.start({ env, services: ['gateway', 'executor', 'auditor'] });
  flows = new Workflows(system);
  const port = await freePort();
  plannerHealth = `http://127.0.0.1:${port}/readyz`;
  await system.launchAll(['planner'], { FOLDWORK_HEALTH_PORT: String(port) });
  await flows.publish(SUM);
  await flows.publish(HEARD);
}, 60_000);
afterAll(async () => {
  await system?.stop();
  sink?.close();
}, 60_000);

const SUM = "workflow: rollout.sum\ntasks:\n  - { id: sum, type: aggregate, concat: { sources: [['version 1']] } }\noutput: '${ tasks.sum.output }'";
const HEARD = SUM.replace('rollout.sum', 'rollout.heard').replace('tasks:', 'triggers: [ { signal: count } ]\ntasks:');
const HELD = `
workflow: rollout.held
tasks:
  - { id: hold, type: wait, waitFor: go, timeout: 1m }
  - { id: sum, type: aggregate, concat: { sources: [['version 1']] } }
  - { id: child, type: composite, workflow: rollout.sum }
`;
const FIRST = ['version 1'];
const SECOND = 'version 2';

const choose = async (version: number): Promise<void> => {
  const { status, body } = await system.api.call('PUT', '/orchestrator/task-types/aggregate', { version });
  expect([status, body]).toEqual([200, { type: 'aggregate', versions: [1, 2], chosen: version }]);
};
const outputOfNewRun = async (): Promise<unknown> => (await flows.ended(await flows.request('rollout.sum'))).output;
const heldRun = async (): Promise<string> => {
  const run = await flows.start(HELD);
  await flows.taskIs(run, 'hold', 'waiting');
  return run;
};
const outputsOf = async (run: string): Promise<unknown[]> => {
  expect((await flows.signal(run, 'go')).status).toBe(202);
  const done = await flows.ended(run);
  return [taskOf(done, 'sum')?.output, taskOf(done, 'child')?.output];
};
/** Of a run that a signal starts. */
const outputOfTriggered = async (): Promise<unknown> => {
  const runs = async () => ((await system.api.call('GET', '/orchestrator/runs?workflow=rollout.heard&limit=100')).body as { runs: { runId: string }[] }).runs;
  const known = new Set((await runs()).map(({ runId }) => runId));
  expect((await system.api.call('POST', '/orchestrator/signals', { signal: 'count' })).status).toBe(202);
  const started = await until('a run that the signal started', async () => (await runs()).find(({ runId }) => !known.has(runId)));
  return (await flows.ended(started.runId)).output;
};
const countersOfPlanner = async (): Promise<Record<string, number>> => {
  const { checks } = (await (await fetch(plannerHealth)).json()) as { checks: { planned: Record<string, number> } };
  return checks.planned;
};

describe('a rule in two versions', () => {
  it('[S3-57] new runs begin with the chosen one, however they are started; runs under way keep theirs; choosing back works while everything runs', async () => {
    expect(await outputOfNewRun()).toEqual(FIRST);
    const old = await heldRun();
    await choose(2);
    expect([await outputOfNewRun(), await outputOfTriggered()]).toEqual([SECOND, SECOND]);
    const fresh = await heldRun();
    await choose(1);
    expect(await outputOfNewRun()).toEqual(FIRST);
    await until('signals to start runs with version 1 again', async () => Array.isArray(await outputOfTriggered()));
    expect([await outputsOf(old), await outputsOf(fresh)]).toEqual([[FIRST, FIRST], [SECOND, SECOND]]);
  });

  it('[S3-57] counts planned tasks per type and version, in StatsD and in the health of the planner', async () => {
    const before = await countersOfPlanner();
    await until('StatsD to have as many as the planner', () => counters.get('foldwork.tasks.planned.aggregate.v2') === before['aggregate@2'] && counters.get('foldwork.tasks.planned.aggregate.v1') === before['aggregate@1']);
    const seconds = before['aggregate@2'] ?? 0;
    expect([seconds >= 4, before['wait@1']]).toEqual([true, 2]);
    await choose(2);
    await outputOfNewRun();
    await choose(1);
    await outputOfNewRun();
    expect(await countersOfPlanner()).toMatchObject({ 'aggregate@1': (before['aggregate@1'] ?? 0) + 1, 'aggregate@2': seconds + 1, 'wait@1': 2 });
    await until('StatsD to follow', () => counters.get('foldwork.tasks.planned.aggregate.v2') === seconds + 1);
  });

  it('[S3-57] a run stays on its version when its planner is killed', async () => {
    await choose(2);
    const run = await heldRun();
    await choose(1);
    await system.kill('planner');
    await system.launchAll(['planner']);
    expect(await outputsOf(run)).toEqual([SECOND, SECOND]);
  });
});
