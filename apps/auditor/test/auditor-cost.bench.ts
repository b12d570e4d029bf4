import { createSocket } from 'node:dgram';
import { readdirSync, readFileSync } from 'node:fs';
import { connectNatsBus, createPostgresEventLog, logMigrations, type EventLog, type NewEvent } from '@foldwork/events';
import { createLogger, createPool } from '@foldwork/platform';
import { PROJECTION, readModelMigrations } from '@foldwork/read-models';
import { migrate, startThrowawayNats, startThrowawayPostgres, syntheticRun } from '@foldwork/testing';
import { Auditor } from '../src/auditor';
import { AUDITOR_SESSION, type AuditorSettings } from '../src/auditor.config';
import { checkpointOf, until } from './auditor-world';

/**
 * CPU of the auditor per event, by process: node, the Postgres backends, nats-server. The log is written beforehand and
 * then shown to the auditor at a pace, so that nothing of writing it is measured.
 *
 * node --experimental-vm-modules node_modules/jest/bin/jest.js --testMatch '**' + '/*.bench.ts' apps/auditor
 */
const RUNS = Number(process.env['BENCH_RUNS'] ?? 6_000);
const TOGETHER = 300;
const PACES = [5_000, 25_000, Infinity];
const TICKS_PER_SECOND = 100;

const cpuSeconds = (pid: number): number => {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]!.split(' ');
  return [11, 12, 13, 14].reduce((sum, index) => sum + Number(fields[index]), 0) / TICKS_PER_SECOND;
};
const children = (pid: number): number[] =>
  readdirSync('/proc').filter((name) => /^\d+$/.test(name)).map(Number).filter((other) => {
    try {
      return readFileSync(`/proc/${other}/stat`, 'utf8').split(') ')[1]!.split(' ')[1] === String(pid);
    } catch {
      return false;
    }
  });
const treeSeconds = (pid: number): number => cpuSeconds(pid) + children(pid).reduce((sum, child) => sum + cpuSeconds(child), 0);

const write = async (log: EventLog): Promise<void> => {
  for (let done = 0; done < RUNS; done += TOGETHER) {
    const runs = Array.from({ length: TOGETHER }, () => syntheticRun({ steps: 10 }).appends);
    for (let round = 0; round < runs[0]!.length; round += 1) await Promise.all(runs.map((appends) => log.append(appends[round] as NewEvent[])));
  }
};

/** Shows the log as if it grew at this pace. */
const paced = (log: EventLog, from: number, perSecond: number): EventLog => {
  const start = performance.now();
  const head = (): number => Math.floor(from + ((performance.now() - start) / 1000) * perSecond);
  return Object.assign(Object.create(log) as EventLog, {
    readAfter: async (after: number, limit: number) => (after >= head() ? [] : log.readAfter(after, Math.min(limit, head() - after))),
  });
};

it('costs little', async () => {
  const postgres = await startThrowawayPostgres();
  const nats = await startThrowawayNats();
  const sink = createSocket('udp4');
  await new Promise<void>((resolve) => sink.bind(0, '127.0.0.1', resolve));
  await migrate(postgres.url, [...logMigrations, ...readModelMigrations]);
  const log = createPostgresEventLog({ connectionString: postgres.url });
  const logger = createLogger({ app: 'bench', level: 'warn' });
  const results: object[] = [];
  const variants: [string, Partial<AuditorSettings>][] = [
    ['projection', {}],
    ['projection+statsd', { statsd: { host: '127.0.0.1', port: sink.address().port, prefix: 'foldwork', labels: 'name' } }],
    ['all', { feed: true, statsd: { host: '127.0.0.1', port: sink.address().port, prefix: 'foldwork', labels: 'name' } }],
  ];
  for (const pace of PACES) {
    for (const [name, settings] of variants) {
      const from = await log.head();
      const pool = createPool({ databaseUrl: postgres.url, maximum: 4, applicationName: 'bench', session: AUDITOR_SESSION });
      const bus = await connectNatsBus({ servers: nats.url, name: 'bench' });
      await pool.query(`INSERT INTO checkpoints SELECT n, $1, (SELECT epoch FROM log_meta) FROM unnest(ARRAY['auditor','feed','statsd']) n
        ON CONFLICT (name) DO UPDATE SET position = $1`, [from]);
      await write(log);
      await new Promise((resolve) => setTimeout(resolve, 1_500));
      const head = await log.head();
      const before = { node: process.cpuUsage(), pg: treeSeconds(postgres.pid()), nats: cpuSeconds(nats.pid()!), at: performance.now() };
      const auditor = new Auditor({ log: paced(log, from, pace), bus, pool, logger, settings: { feed: false, anchors: { every: 10_000 }, ...settings } });
      auditor.start();
      const names = [PROJECTION, ...(settings.feed ? ['feed'] : []), ...(settings.statsd ? ['statsd'] : [])];
      await until(async () => {
        await new Promise((resolve) => setTimeout(resolve, 200));
        return (await Promise.all(names.map((each) => checkpointOf(pool, each)))).every((position) => position === head);
      }, 'end of the log', 120_000);
      const node = process.cpuUsage(before.node);
      const events = head - from;
      const seconds = (performance.now() - before.at) / 1000;
      results.push({
        pace, name, events, perSecond: Math.round(events / seconds),
        nodeUs: +((node.user + node.system) / events).toFixed(2),
        postgresUs: +(((treeSeconds(postgres.pid()) - before.pg) * 1e6) / events).toFixed(2),
        natsUs: +(((cpuSeconds(nats.pid()!) - before.nats) * 1e6) / events).toFixed(2),
      });
      await auditor.stop();
      await Promise.all([pool.end(), bus.close()]);
    }
  }
  console.table(results);
  sink.close();
  await log.close();
  await nats.stop();
  await postgres.stop();
}, 600_000);
