import { readFileSync } from 'node:fs';
import { Client } from 'pg';
import { migrate, startThrowawayPostgres } from '@foldwork/testing';
import type { NewEvent, RunId } from '../contracts';
import { aRunId, anEvent } from './event-log.fixtures';
import { validateEvent } from './event-validation';
import { logMigrations } from './log-migrations';
import { createPostgresEventLog } from './postgres-event-log.adapter';

/**
 * What an event costs, by batch size: wall time, CPU of this process, CPU of the appending backend.
 * Run: node -r ./libs/testing/src/processes/typescript-hook.cjs libs/events/src/log/append.bench.ts
 */
const TICK_US = 10_000;
const EVENTS = 40_000;

const cpuOfUs = (pid: number): number => {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? [];
  return (Number(fields[11]) + Number(fields[12])) * TICK_US;
};

const DATA = JSON.stringify({
  transition: 'complete', from: 'in_progress', to: 'completed', attempt: 1, at: 1_764_000_000_000, executor: 'executor-1#3',
  output: { ok: true, id: 'image_123' }, starts: { task: 'upload_image_2', attempt: 1, input: { url: 'https://example.test/a.png', n: 2 } },
});

/** Runs of ten tasks; every second batch brings version 2 of the streams of the one before. */
const batchesOf = (size: number, count: number): NewEvent[][] => {
  let streams: [RunId, string][] = [];
  return Array.from({ length: count }, (_, index) => {
    const version = (index % 2) + 1;
    let runId = aRunId();
    if (version === 1) streams = Array.from({ length: size }, (_, at) => [at % 10 === 0 ? (runId = aRunId()) : runId, `task_${at % 10}`]);
    return streams.map(([run, task]) => anEvent(run, task, version, { data: DATA, decide: false }));
  });
};

const readers = async (observer: Client): Promise<number[]> => {
  const { rows } = await observer.query<{ pid: number }>(`SELECT pid FROM pg_stat_activity WHERE application_name = 'foldwork-log'`);
  return rows.map(({ pid }) => pid);
};

const main = async (): Promise<void> => {
  const server = await startThrowawayPostgres({ settings: { shared_buffers: '256MB' } });
  await migrate(server.url, logMigrations);
  const observer = new Client({ connectionString: server.url });
  await observer.connect();
  const log = createPostgresEventLog({ connectionString: server.url });
  const results: Record<string, string | number>[] = [];
  const per = (us: number, events: number) => Number((us / events).toFixed(2));

  for (const size of [200, 64, 16, 2, 1]) {
    const batches = batchesOf(size, Math.min(Math.ceil(EVENTS / size / 2) * 2, 4_000));
    for (const batch of batches.splice(0, 20)) await Promise.all(batch.map((event) => log.append([event])));
    const { rows } = await observer.query<{ pid: number }>(`SELECT pid FROM pg_stat_activity WHERE query LIKE '%append_event%' AND pid <> pg_backend_pid()`);
    const pid = rows[0]?.pid ?? 0;
    const [node, postgres, start] = [process.cpuUsage(), cpuOfUs(pid), performance.now()];
    for (const batch of batches) await Promise.all(batch.map((event) => log.append([event])));
    const wall = (performance.now() - start) * 1_000;
    const { user, system } = process.cpuUsage(node);
    const events = batches.length * size;
    results.push({
      what: `append, batches of ${size}`, 'wall us/event': per(wall, events), 'node us/event': per(user + system, events),
      'postgres us/event': per(cpuOfUs(pid) - postgres, events), 'wall us/batch': per(wall, batches.length),
    });
  }
  for (const size of [500, 50]) {
    const head = 50_000;
    await log.readAfter(0, size);
    const pids = await readers(observer);
    const readersUs = () => pids.reduce((sum, pid) => sum + cpuOfUs(pid), 0);
    const [node, postgres, start] = [process.cpuUsage(), readersUs(), performance.now()];
    for (let after = 0; after < head; ) after = (await log.readAfter(after, size)).at(-1)?.position ?? head;
    const { user, system } = process.cpuUsage(node);
    results.push({ what: `read, batches of ${size}`, 'wall us/event': per((performance.now() - start) * 1_000, head), 'node us/event': per(user + system, head),
      'postgres us/event': per(readersUs() - postgres, head) });
  }
  const event = anEvent(aRunId(), 'task_1', 1, { data: DATA });
  const node = process.cpuUsage();
  for (let i = 0; i < 200_000; i++) validateEvent(event);
  results.push({ what: 'validation', 'node us/event': per(process.cpuUsage(node).user, 200_000) });
  console.table(results);
  await log.close();
  await observer.end();
  await server.stop();
};

void main();
