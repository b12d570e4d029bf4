import type { Answer } from './harness/api';
import { RETRY_AT_ONCE, task, workflow } from './harness/definitions';
import { faultsAfterwards } from './harness/log-account';
import type { CrashPoint } from './harness/service';
import { System } from './harness/system';
import { until } from './harness/until';
import { Workflows } from './harness/workflows';

/**
 * The rows of docs/crash-table.md that concern what people tell a run: the service is killed with SIGKILL around the
 * command. One that was answered is in effect after the restart; one that was not can be sent again with no harm.
 */
interface Command {
  readonly name: string;
  /** What it leaves in the log, once. */
  readonly event: string;
  /** In the statement of the gateway. */
  readonly appended: string;
  /** What the planner is at when it carries the command out; absent: there is nothing to carry out. */
  readonly carriedOut?: Omit<CrashPoint, 'when'>;
  /** A run that the command can be given to. */
  prepare(key: string): Promise<string>;
  send(run: string): Promise<Pick<Answer, 'status'>>;
  /** Answer to a command that is in effect already. */
  readonly again: number;
  /** Rejects when the command is not in effect. */
  inEffect(run: string): Promise<unknown>;
}

let system: System;
let flows: Workflows;
beforeAll(async () => {
  system = await System.start({ env: { FOLDWORK_RUN_RETRY_MAXIMUM: '0' } });
  flows = new Workflows(system);
}, 60_000);
afterAll(async () => {
  try {
    expect((await faultsAfterwards(system)).filter((fault) => !fault.startsWith('not finished'))).toEqual([]);
  } finally {
    await system.stop();
  }
}, 60_000);

const heldRun = async (key: string): Promise<string> => {
  const run = await system.api.submit(workflow('held', [task('first', { gate: key }), task('second')]));
  await system.world.when(() => system.world.callsOf(run).length === 1);
  return run;
};
const ready = (run: string): Promise<unknown> => flows.signal(run, 'ready');
const aboutToGoOn = async (): Promise<string> => {
  const run = await system.api.submit(workflow('about-to-go-on', [{ id: 'hold', type: 'wait', waitFor: 'ready', timeout: '5m' }, task('next')]));
  await flows.taskIs(run, 'hold', 'waiting');
  return run;
};
const endedRun = async (status: string, more: object): Promise<string> => {
  const run = await system.api.submit(workflow(status, [task('first', { failFirst: 1 }, more), task('second')]));
  await system.api.reached(run, status);
  return run;
};
const waitingRun = async (signal: string): Promise<string> => {
  const run = await system.api.submit(workflow('waiting', [{ id: 'hold', type: 'wait', waitFor: signal, timeout: '5m' }, { id: 'after', type: 'wait', waitFor: 'never', timeout: '5m' }]));
  await flows.taskIs(run, 'hold', 'waiting');
  return run;
};
/** The next task begins, and the run ends. */
const goesOn = (run: string): Promise<unknown> => system.api.succeeded(run);
const stepSent = { on: 'bus', match: 'PUB foldwork\\.steps' } as const;
const sql = (match: string): Omit<CrashPoint, 'when'> => ({ on: 'sql', match: `append_events?.*${match}` });
const gone = 'signal-gone';

const COMMANDS: readonly Command[] = [
  {
    name: 'cancel', event: 'RunCancelRequested', appended: 'RunCancelRequested', carriedOut: sql('RunCanceled'), again: 409,
    prepare: heldRun, send: (run) => system.api.command(run, 'cancel'), inEffect: (run) => system.api.reached(run, 'canceled'),
  },
  {
    name: 'pause', event: 'RunPaused', appended: 'RunPaused', again: 409,
    prepare: aboutToGoOn, send: (run) => system.api.command(run, 'pause'),
    inEffect: async (run) => {
      await ready(run);
      await flows.taskIs(run, 'hold', 'completed');
      await system.api.succeeded(await system.api.submit(workflow('bystander', [task('only')]))); // the planner has looked meanwhile
      expect(system.world.callsOf(run)).toHaveLength(0);
      expect((await system.api.command(run, 'resume')).status).toBe(202);
      await goesOn(run);
    },
  },
  {
    name: 'resume', event: 'RunResumed', appended: 'RunResumed', carriedOut: stepSent, again: 409,
    prepare: async () => {
      const run = await aboutToGoOn();
      expect((await system.api.command(run, 'pause')).status).toBe(202);
      await ready(run);
      await flows.taskIs(run, 'hold', 'completed');
      return run;
    },
    send: (run) => system.api.command(run, 'resume'), inEffect: goesOn,
  },
  {
    name: 'retry', event: 'RunRetried', appended: 'RunRetried', carriedOut: stepSent, again: 409,
    prepare: () => endedRun('failed', { retry: { ...RETRY_AT_ONCE, maximumAttempts: 1 } }),
    send: (run) => system.api.command(run, 'retry'), inEffect: goesOn,
  },
  {
    name: 'resolve', event: 'TaskTransitioned', appended: '"transition":"resolve"', carriedOut: stepSent, again: 409,
    prepare: () => endedRun('escalated', { escalate: ['WORLD_FAILED'] }),
    send: (run) => system.api.command(run, 'tasks/first/resolve', { as: 'completed', output: {}, reason: 'looked at it' }), inEffect: goesOn,
  },
  {
    name: 'signal', event: 'SignalReceived', appended: 'SignalReceived', carriedOut: sql('"transition":"complete"'), again: 202,
    prepare: () => waitingRun('go'), send: (run) => flows.signal(run, 'go', { signalId: 'go-1' }), inEffect: (run) => flows.taskIs(run, 'after', 'waiting'),
  },
  {
    name: 'signal to all', event: 'SignalReceived', appended: 'SignalReceived', carriedOut: sql('SignalReceived'), again: 202,
    prepare: (key) => waitingRun(`${gone}-${key}`), send: () => system.api.call('POST', '/orchestrator/signals', { signal: `${gone}-${current}`, signalId: `all-${current}` }), inEffect: (run) => flows.taskIs(run, 'after', 'waiting'),
  },
];
/** The test that is running: a signal to all is told apart by it. */
let current = '';

const recorded = async (run: string, { event }: Command): Promise<number> => {
  const events = (await system.api.events(run)).filter(({ type }) => type === event);
  return event === 'TaskTransitioned' ? events.filter(({ data }) => data['transition'] === 'resolve').length : events.length;
};
const restart = async (...names: string[]): Promise<void> => {
  await Promise.all(names.map((name) => system.service(name).ended));
  await system.launchAll(names);
};
const prepare = (command: Command, key: string): Promise<string> => {
  current = key;
  return command.prepare(key);
};

describe.each(COMMANDS)('$name', (command) => {
  it.each(['before', 'after'] as const)('G3: the gateway dies %s it is appended, and it is sent again', async (when) => {
    const run = await prepare(command, `${command.name.replaceAll(' ', '-')}-${when}`);
    await system.service('gateway').crashAt({ when, ...sql(command.appended) });
    await expect(command.send(run)).rejects.toThrow();
    await restart('gateway');
    if (command.name !== 'signal to all') expect(await recorded(run, command)).toBe(when === 'before' ? 0 : 1);
    expect((await command.send(run)).status).toBe(when === 'before' ? 202 : command.again);
    await command.inEffect(run);
    expect(await recorded(run, command)).toBe(1);
  }, 40_000);

  const { carriedOut } = command;
  if (carriedOut !== undefined) it.each(['before', 'after'] as const)('P8: the planner dies %s the commit that carries it out', async (when) => {
    const run = await prepare(command, `${command.name.replaceAll(' ', '-')}-planner-${when}`);
    await system.service('planner').crashAt({ when, ...carriedOut });
    expect((await command.send(run)).status).toBe(202);
    await restart('planner');
    await command.inEffect(run);
    expect(await recorded(run, command)).toBe(1);
  }, 40_000);

  it('answered, and gateway and planner are killed at once', async () => {
    const run = await prepare(command, `${command.name.replaceAll(' ', '-')}-both`);
    expect((await command.send(run)).status).toBe(202);
    await system.kill('gateway', 'planner');
    await restart('gateway', 'planner');
    await command.inEffect(run);
    expect((await until('an answer', () => command.send(run).catch(() => undefined))).status).not.toBe(500);
    expect(await recorded(run, command)).toBe(1);
  }, 40_000);
});
