import type { Api, RunAnswer } from './harness/api';
import { task, workflow } from './harness/definitions';
import { EventFeed } from './harness/event-feed';
import { faultsAfterwards } from './harness/log-account';
import { System } from './harness/system';
import { until } from './harness/until';

let system: System;
let one: Api;
let two: Api;
beforeAll(async () => {
  system = await System.start({ services: ['gateway-1', 'gateway-2', 'planner', 'executor', 'auditor'] });
  [one, two] = [system.apiOf('gateway-1'), system.apiOf('gateway-2')];
}, 60_000);
afterAll(async () => {
  try {
    expect(await faultsAfterwards(system)).toEqual([]);
  } finally {
    await system.stop();
  }
}, 60_000);

const both = <T>(work: (api: Api) => Promise<T>): Promise<[T, T]> => Promise.all([work(one), work(two)]);
const positionsOf = async (api: Api, run: string): Promise<string[]> => (await api.events(run)).map(({ position }) => String(position));
const eventsOf = async (run: string, type: string): Promise<number> => (await one.events(run)).filter((event) => event.type === type).length;
/** A run that is held up at its first task, in the outside world. */
const heldRun = async (gate: string): Promise<string> => {
  const run = await one.submit(workflow(gate, [task('first', { gate }), task('second')]));
  await system.world.when(() => system.world.callsOf(run).length === 1);
  return run;
};

describe('two gateways', () => {
  it('make one run of a key that reaches both at once', async () => {
    const submit = (key: string) => both((api) => api.call('POST', '/orchestrator/runs', { definition: workflow('same-key', [task('only')]), input: {} }, { 'idempotency-key': key }));
    const answers = await Promise.all(Array.from({ length: 30 }, (_, index) => submit(`same-${index}`)));
    for (const pair of answers) {
      expect(pair.map(({ status }) => status).toSorted()).toEqual([200, 202]);
      const [run = '', same] = pair.map(({ body }) => (body as RunAnswer).runId);
      expect(same).toBe(run);
      await two.succeeded(run);
      expect(system.world.callsOf(run)).toHaveLength(1);
    }
  });

  it('show on one, live, what is done through the other', async () => {
    const run = await heldRun('live');
    const feed = await EventFeed.open(two.url, run);
    await feed.until('TaskTransitioned');
    expect((await one.command(run, 'pause')).status).toBe(202);
    await feed.until('RunPaused');
    expect((await one.command(run, 'resume')).status).toBe(202);
    await feed.until('RunResumed');
    system.world.openGate('live');
    await feed.until('RunCompleted');
    feed.close();
  });

  it('a client whose gateway is killed goes on at the other: nothing is missing and nothing comes twice', async () => {
    const run = await heldRun('switch');
    const feed = await EventFeed.open(two.url, run);
    const seen = await feed.until('TaskTransitioned');
    await system.kill('gateway-2');
    await expect(feed.until('RunCompleted')).rejects.toThrow();
    system.world.openGate('switch');
    const rest = await EventFeed.open(one.url, run, seen.at(-1)?.id);
    seen.push(...(await rest.until('RunCompleted')));
    rest.close();
    expect(seen.map(({ id }) => id)).toEqual(await positionsOf(one, run));
    await system.launchAll(['gateway-2']);
    expect(await positionsOf(two, run)).toEqual(await positionsOf(one, run));
  });

  it('take a command that reaches both at once one time', async () => {
    const run = await heldRun('commands');
    for (const [command, type] of [['pause', 'RunPaused'], ['resume', 'RunResumed'], ['cancel', 'RunCancelRequested']] as const) {
      const answers = await both((api) => api.command(run, command));
      expect([answers.map(({ status }) => status).toSorted(), await eventsOf(run, type)]).toEqual([[202, 409], 1]);
    }
    await one.reached(run, 'canceled');
  });

  it('take a signal that reaches both at once one time', async () => {
    const run = await one.submit(workflow('signals', [{ id: 'hold', type: 'wait', waitFor: 'go', timeout: '1m' }, { id: 'again', type: 'wait', waitFor: 'go', timeout: '1m' }]));
    const answers = await both((api) => api.command(run, 'signals', { signal: 'go', signalId: 'same' }));
    expect([answers.map(({ status }) => status), await eventsOf(run, 'SignalReceived')]).toEqual([[202, 202], 1]);
    await two.command(run, 'signals', { signal: 'go', signalId: 'other' });
    await two.succeeded(run);
  });

  it('run on one what was published on the other', async () => {
    const publish = (api: Api, title: string) => api.call('PUT', '/orchestrator/workflows/published', workflow('published', [task('only')], { title }));
    const { hash } = (await publish(one, 'first')).body as { hash: string };
    const runs: string[] = [];
    const submit = async () => {
      const run = (await two.call('POST', '/orchestrator/runs', { workflow: 'published', input: {} })).body as RunAnswer;
      runs.push(run.runId);
      return run;
    };
    expect((await until('the other gateway to know it', async () => { const run = await submit(); return run['definition'] === hash && run; }, 3_000)).status).toBe('pending');
    const { hash: second } = (await publish(two, 'second')).body as { hash: string };
    expect((await submit())['definition']).toBe(second);
    const answers = await both((api) => publish(api, 'third'));
    expect(answers.map(({ status }) => status).every((status) => status === 200 || status === 201)).toBe(true);
    await Promise.all(runs.map((run) => one.succeeded(run)));
  });
});
