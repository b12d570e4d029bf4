import { createSocket, type Socket } from 'node:dgram';
import { createLogger } from '@foldwork/platform';
import { PROJECTION } from '@foldwork/read-models';
import { freePort, syntheticRun } from '@foldwork/testing';
import { StatsdAdapter } from '../src/statsd/statsd.adapter';
import { Tally } from '../src/statsd/tally';
import { auditorWorld, checkpointOf, mixedRuns, remakeReadModels, until, type AuditorWorld } from './auditor-world';

/** A StatsD server as far as tests need one: keeps each line. */
class Sink {
  readonly lines: string[] = [];
  private constructor(private readonly socket: Socket, readonly port: number) {
    socket.on('message', (message) => this.lines.push(...message.toString().split('\n').filter((line) => line !== '')));
  }

  static async open(port = 0): Promise<Sink> {
    const socket = createSocket('udp4');
    await new Promise<void>((resolve) => socket.bind(port, '127.0.0.1', resolve));
    return new Sink(socket, socket.address().port);
  }

  count(name: string): number {
    return this.lines.filter((line) => line.startsWith(`${name}:`) && line.includes('|c')).reduce((sum, line) => sum + Number(/:(-?\d+)/.exec(line)?.[1]), 0);
  }
  timings(name: string): number[] {
    return this.lines.filter((line) => line.startsWith(`${name}:`) && line.includes('|ms')).map((line) => Number(/:([\d.]+)/.exec(line)?.[1]));
  }
  gauge(name: string): number | undefined {
    const line = this.lines.findLast((each) => each.startsWith(`${name}:`) && each.includes('|g'));
    return line === undefined ? undefined : Number(/:(\d+)/.exec(line)?.[1]);
  }
  close(): void {
    this.socket.close();
  }
}

let world: AuditorWorld;
let sink: Sink;
beforeEach(async () => {
  [world, sink] = await Promise.all([auditorWorld(), Sink.open()]);
});
afterEach(async () => {
  sink.close();
  await world.close();
});

const statsd = (labels: 'name' | 'tags' = 'name') => ({ host: '127.0.0.1', port: sink.port, prefix: 'foldwork', labels, flushMs: 50 });
/** The first start begins at the newest event, so it has to come before the runs. */
const began = (): Promise<void> =>
  until(async () => (await world.pool.query(`SELECT FROM checkpoints WHERE name = 'statsd'`)).rowCount === 1, 'statsd checkpoint');
const counted = async (): Promise<void> => {
  const head = await world.log.head();
  await until(async () => (await checkpointOf(world.pool, 'statsd')) === head, 'metrics');
  await new Promise((resolve) => setTimeout(resolve, 100)); // datagrams on their way
};

describe('metrics of runs', () => {
  it('counts and times a successful run', async () => {
    const auditor = world.auditor({ statsd: statsd(), feed: true });
    auditor.start();
    await began();
    await world.append([syntheticRun({ steps: 3 })]);
    await counted();
    await auditor.stop();
    const one = ['runs.queued', 'runs.status.pending', 'runs.status.running', 'runs.status.succeeded',
      'steps.step1.started', 'steps.step1.succeeded', 'steps.step3.started', 'steps.step3.succeeded'];
    for (const name of one) expect([name, sink.count(`foldwork.${name}`)]).toEqual([name, 1]);
    expect(sink.count('foldwork.tasks.completed')).toBe(3);
    expect(sink.count('foldwork.tasks.in_progress')).toBe(3);
    expect(sink.timings('foldwork.runs.duration.succeeded')).toEqual([60]);
    expect(sink.timings('foldwork.steps.step2.duration')).toEqual([10]);
    expect(sink.timings('foldwork.tasks.duration')).toEqual([10, 10, 10]);
    expect(sink.timings('foldwork.tasks.queue')).toEqual([10, 0, 0]);
    expect(sink.gauge('foldwork.runs.open')).toBe(0);
    for (const reader of ['projection', 'relay']) expect([reader, sink.gauge(`foldwork.${reader}.lag`)]).toEqual([reader, 0]);
    expect(sink.lines.join()).not.toContain('run_');
  });

  it('counts each ending under its own status', async () => {
    const auditor = world.auditor({ statsd: statsd() });
    auditor.start();
    await began();
    await world.append(mixedRuns(25));
    await counted();
    await auditor.stop();
    for (const status of ['succeeded', 'failed', 'escalated', 'canceled']) expect([status, sink.count(`foldwork.runs.status.${status}`)]).toEqual([status, 5]);
    expect(sink.count('foldwork.tasks.escalated')).toBe(5);
    expect(sink.gauge('foldwork.runs.open')).toBe(5);
  });

  it('puts labels into tags when told so', async () => {
    const auditor = world.auditor({ statsd: statsd('tags') });
    auditor.start();
    await began();
    await world.append([syntheticRun({ steps: 1 })]);
    await counted();
    await auditor.stop();
    expect(sink.lines).toContain('foldwork.steps.started:1|c|#step:step1');
    expect(sink.lines).toContain('foldwork.runs.status:1|c|#status:succeeded');
  });

  it('counts nothing twice over two auditors, restarts and a start in the middle of runs, and still knows durations', async () => {
    const first = world.auditor({ statsd: statsd() });
    first.start();
    await began();
    const runs = Array.from({ length: 60 }, (_, index) => syntheticRun({ steps: 4, at: 1_800_000_000_000 + index }));
    await world.append(runs.map((run) => ({ ...run, appends: run.appends.slice(0, 4) })));
    await counted();
    await first.stop();
    const reads = jest.spyOn(world.log, 'readRuns');
    const pair = [world.auditor({ statsd: statsd() }), world.auditor({ statsd: statsd() })];
    pair.forEach((auditor) => auditor.start());
    await world.append(runs.map((run) => ({ ...run, appends: run.appends.slice(4) })));
    await counted();
    await Promise.all(pair.map((auditor) => auditor.stop()));
    expect(Math.max(...reads.mock.calls.map(([runIds]) => runIds.length))).toBeLessThanOrEqual(50); // each comes with all its outputs
    expect(sink.count('foldwork.runs.queued')).toBe(60);
    expect(sink.count('foldwork.runs.status.succeeded')).toBe(60);
    expect(sink.count('foldwork.tasks.completed')).toBe(240);
    expect(sink.timings('foldwork.runs.duration.succeeded')).toEqual(Array.from({ length: 60 }, () => 70));
    expect(sink.timings('foldwork.steps.step2.duration')).toEqual(Array.from({ length: 60 }, () => 10));
  });

  it('sends nothing again when the read models are made anew while it counts (2)', async () => {
    const auditor = world.auditor({ statsd: statsd() });
    auditor.start();
    await began();
    await world.append(mixedRuns(20));
    await counted();
    const before = sink.lines.filter((line) => !line.includes('|g'));
    expect(await remakeReadModels(world)).toBe(await world.log.head());
    await world.append([syntheticRun({ at: 1_900_000_000_000, steps: 1 })]);
    await counted();
    await auditor.stop();
    expect(before.length).toBeGreaterThan(50);
    expect(sink.count('foldwork.runs.queued')).toBe(21);
    expect(sink.count('foldwork.runs.status.succeeded')).toBe(5);
  });

  it('is not there, and misses nothing, where no host is named', async () => {
    const auditor = world.auditor();
    auditor.start();
    await world.append(mixedRuns(5));
    const head = await world.log.head();
    await until(async () => (await checkpointOf(world.pool, PROJECTION)) === head, 'the read models');
    await auditor.stop();
    expect([auditor.troubles, sink.lines, (await world.pool.query(`SELECT FROM checkpoints WHERE name = 'statsd'`)).rowCount]).toEqual([[], [], 0]);
  });

  it('does not begin with the history of a log that is older than it', async () => {
    await world.append(mixedRuns(10));
    const auditor = world.auditor({ statsd: statsd() });
    auditor.start();
    await began();
    await world.append([syntheticRun()]);
    await counted();
    await auditor.stop();
    expect(sink.count('foldwork.runs.queued')).toBe(1);
  });
});

describe('metrics while Postgres is in trouble', () => {
  const inTrouble = (is: boolean) =>
    world.owner((client) => client.query(is ? 'ALTER TABLE read_models.runs RENAME TO away' : 'ALTER TABLE read_models.away RENAME TO runs'));

  it('wait for the end of it', async () => {
    const auditor = world.auditor({ statsd: statsd() });
    auditor.start();
    await began();
    await inTrouble(true);
    await world.append(mixedRuns(5));
    await counted();
    await inTrouble(false);
    await until(() => sink.count('foldwork.runs.queued') > 0, 'metrics');
    await auditor.stop();
    expect(sink.count('foldwork.runs.queued')).toBe(5);
  });

  it('do not keep the auditor from ending in order', async () => {
    const warnings: string[] = [];
    const logger = createLogger({ app: 'test', level: 'warn', destination: { write: (line) => void warnings.push(line) } });
    const auditor = world.auditor({ statsd: { ...statsd(), flushMs: 60_000 } }, world.bus, logger);
    auditor.start();
    await began();
    await inTrouble(true);
    await auditor.stop();
    expect(warnings.filter((line) => line.includes('metrics_lost'))).toHaveLength(1);
  });
});

describe('a StatsD server that is not there', () => {
  it('costs one warning and never an event', async () => {
    const warnings: string[] = [];
    const logger = createLogger({ app: 'test', level: 'warn', destination: { write: (line) => void warnings.push(line) } });
    const auditor = world.auditor({ statsd: { ...statsd(), port: await freePort() } }, world.bus, logger);
    auditor.start();
    await began();
    for (let round = 0; round < 5; round += 1) {
      await world.append(mixedRuns(10, 1_800_000_000_000 + round * 100));
      await counted();
    }
    expect(await checkpointOf(world.pool, PROJECTION)).toBe(await world.log.head());
    await auditor.stop();
    expect(warnings.filter((line) => line.includes('statsd_unreachable'))).toHaveLength(1);
    expect(auditor.troubles).toEqual([]);
  });

  it('is one warning, too, when nobody knows its name', async () => {
    const warnings: string[] = [];
    const logger = createLogger({ app: 'test', level: 'warn', destination: { write: (line) => void warnings.push(line) } });
    const adapter = new StatsdAdapter({ ...statsd(), host: 'statsd.invalid' }, logger, () => 0);
    const tally = new Tally();
    tally.count({ name: 'runs.queued', tags: [] });
    adapter.send(tally.take(), new Map());
    await until(() => adapter.pause > 0, 'a pause');
    adapter.close();
    expect(warnings).toEqual([expect.stringMatching(/statsd_unreachable.*statsd\.invalid/)]);
  });

  it('is left alone for 5 s, then 10, 20, 40, 60, and used again when it is back', async () => {
    const port = await freePort();
    let now = 0;
    const adapter = new StatsdAdapter({ ...statsd(), port }, createLogger({ app: 'test', level: 'silent' }), () => now);
    const send = (): void => {
      const tally = new Tally();
      tally.count({ name: 'runs.queued', tags: [] });
      adapter.send(tally.take(), new Map());
    };
    const pauses: number[] = [];
    for (let round = 0; round < 6; round += 1) {
      // The first datagram is lost without a word; the refusal comes back for the next one.
      await until(() => (send(), adapter.pause > 0), 'a pause');
      pauses.push(adapter.pause);
      now += adapter.pause;
    }
    expect(pauses).toEqual([5_000, 10_000, 20_000, 40_000, 60_000, 60_000]);
    const back = await Sink.open(port);
    await until(() => (send(), back.lines.length > 2), 'metrics after the return');
    expect(adapter.pause).toBe(0);
    adapter.close();
    back.close();
  });
});
