import { randomUUID } from 'node:crypto';
import { Client } from 'pg';
import { connectNatsBus, createPostgresEventLog, newEvent, taskPath, type NewEvent, type RunId } from '@foldwork/events';
import { runMigrations, ALL_MIGRATIONS } from '@foldwork/platform';
import { startThrowawayNats, startThrowawayPostgres } from '@foldwork/testing';
import { percentile, rounded } from '../percentiles';
import { settledDisk } from '../world/settled-disk';
import { bareRuns } from './bare-runs';

const SECONDS = 2;
const GROUP = 100;
const REQUESTS = 3_000;

/** What this machine can do at most, without an engine: on a Postgres and a nats-server that nobody else uses. */
export const measureLimits = async (batch: number): Promise<Record<string, unknown>> => {
  const [postgres, nats] = await Promise.all([startThrowawayPostgres(), startThrowawayNats()]);
  try {
    await runMigrations({ databaseUrl: postgres.url, migrations: ALL_MIGRATIONS });
    return { ...(await storeLimits(postgres.url, Math.max(1, Math.round(batch)))), requestReplyP50Ms: rounded(await requestReplyMs(nats.url), 3) };
  } finally {
    await Promise.all([postgres.stop(), nats.stop()]);
  }
};

const storeLimits = async (url: string, batch: number): Promise<Record<string, number>> => {
  await withClient(url, (client) => client.query('CREATE TABLE bench_rows (id uuid PRIMARY KEY, step integer NOT NULL, data text NOT NULL)'));
  const rates = {
    appendBatch: batch,
    singleAppendsPerSecond: Math.round(await appendRate(url, 1)),
    appendEventsPerSecond: Math.round(await appendRate(url, batch)),
    groupedRowsPerSecond: Math.round(await groupedRate(url)),
    singleCommitsPerSecond: Math.round(await commitRate(url, 1)),
    singleCommitsPerSecond8: Math.round(await commitRate(url, 8)),
  };
  await withClient(url, settledDisk);
  return { ...rates, ...(await bareRuns(url)) };
};

/** Repeats work until the time is over; returns how often per second. */
const perSecond = async (work: () => Promise<unknown>): Promise<number> => {
  for (let i = 0; i < 20; i += 1) await work();
  const start = performance.now();
  let times = 0;
  for (; performance.now() - start < SECONDS * 1000; times += 1) await work();
  return (times * 1000) / (performance.now() - start);
};

/** The log's own append, one batch after the other, without anything around it. */
const appendRate = async (url: string, batch: number): Promise<number> => {
  const log = createPostgresEventLog({ connectionString: url, applicationName: 'bench-append' });
  const rate = await perSecond(() => Promise.all(Array.from({ length: batch }, () => log.append([stepEvent()]))));
  await log.close();
  return rate * batch;
};

/** Like the event that ends a step and starts the next. */
const stepEvent = (): NewEvent => {
  const runId = randomUUID() as RunId;
  const source = { runId, namespace: 'bench', metadata: { actor: 'executor:executor#1' } };
  return newEvent(source, taskPath('step1'), 1, {
    type: 'TaskTransitioned',
    data: { transition: 'complete', from: 'in_progress', to: 'completed', attempt: 1, at: 1_764_000_000_000, executor: 'executor#1', output: { ok: true }, starts: { task: taskPath('step2'), attempt: 1 } },
  }, false);
};

const DATA = JSON.stringify({ status: 'completed', output: { ok: true } });

/** 100 rows in one commit, on one connection. */
const groupedRate = async (url: string): Promise<number> =>
  withClient(url, async (client) => {
    const text = 'INSERT INTO bench_rows SELECT * FROM unnest($1::uuid[], $2::integer[], $3::text[])';
    const insert = (): Promise<unknown> =>
      client.query({ name: 'grouped', text, values: [Array.from({ length: GROUP }, () => randomUUID()), Array<number>(GROUP).fill(1), Array<string>(GROUP).fill(DATA)] });
    return (await perSecond(insert)) * GROUP;
  });

/** One row per commit, on so many connections at a time. */
const commitRate = async (url: string, connections: number): Promise<number> => {
  const rates = await Promise.all(Array.from({ length: connections }, () =>
    withClient(url, (client) => perSecond(() => client.query({ name: 'single', text: 'INSERT INTO bench_rows VALUES ($1, $2, $3)', values: [randomUUID(), 1, DATA] })))));
  return rates.reduce((sum, rate) => sum + rate, 0);
};

const withClient = async <T>(url: string, work: (client: Client) => Promise<T>): Promise<T> => {
  const client = new Client({ connectionString: url, application_name: 'bench-limits' });
  await client.connect();
  try {
    return await work(client);
  } finally {
    await client.end();
  }
};

const requestReplyMs = async (url: string): Promise<number> => {
  const [bus, other] = await Promise.all(['bench', 'bench-responder'].map((name) => connectNatsBus({ servers: url, name })));
  if (bus === undefined || other === undefined) throw new Error('no bus');
  const subscription = await other.respond('bench.echo', (payload) => Promise.resolve(payload));
  const times: number[] = [];
  for (let i = 0; i < REQUESTS; i += 1) {
    const start = performance.now();
    await bus.request('bench.echo', 'x', 1_000);
    times.push(performance.now() - start);
  }
  await subscription.close();
  await Promise.all([bus.close(), other.close()]);
  return percentile(times.slice(REQUESTS / 10), 0.5);
};
