import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { LogUnavailable } from '../event-log.port';
import { createPostgresEventLog } from '../postgres-event-log.adapter';
import { aRunId, anEvent } from '../event-log.fixtures';
import type { NewEvent, RunId } from '../../contracts';

/** What a writer tells its test: each append it was acknowledged, with the events' identities. */
export interface WriterReport {
  readonly acknowledged: readonly string[];
  readonly conflicts: number;
  readonly duplicates: number;
  readonly unavailable: number;
}

interface Contest {
  readonly runId: RunId;
  version: number;
}

const [connectionString = '', name = '', contested = '', durationMs = '3000'] = process.argv.slice(2);

/** Appends to streams of its own and, against the other writers, to streams they share; now and then the same twice. */
const main = async (): Promise<WriterReport> => {
  const log = createPostgresEventLog({ connectionString, retryDelaysMs: [5, 20, 50, 100, 200, 400, 800] });
  const acknowledged: string[] = [];
  const counts = { conflicts: 0, duplicates: 0, unavailable: 0 };
  const endAt = Date.now() + Number(durationMs);

  const append = async (events: readonly NewEvent[]): Promise<boolean> => {
    for (;;) {
      try {
        const { status } = await log.append(events);
        if (status === 'conflict') counts.conflicts++;
        else acknowledged.push(...events.map(({ runId, task, version, data }) => `${runId}|${task}|${version}|${data}`));
        if (status === 'duplicate') counts.duplicates++;
        return status !== 'conflict';
      } catch (error) {
        if (!(error instanceof LogUnavailable)) throw error;
        counts.unavailable++;
        await sleep(20);
      }
    }
  };
  const ownStreams = async (): Promise<void> => {
    while (Date.now() < endAt) {
      const runId = aRunId();
      for (let version = 1; version <= 5; version++) {
        const events = ['a', 'b'].map((task) => anEvent(runId, task, version, { data: `{"writer":"${name}","id":"${randomUUID()}"}` }));
        await append(events);
        if (version === 3) await append(events);
      }
    }
  };
  const sharedStream = async (runId: string): Promise<void> => {
    const contest: Contest = { runId: runId as RunId, version: 1 };
    while (Date.now() < endAt) {
      await append([anEvent(contest.runId, 'shared', contest.version, { data: `{"writer":"${name}","id":"${randomUUID()}"}` })]);
      contest.version = ((await log.readLast(contest.runId, 'shared').catch(() => undefined))?.version ?? contest.version) + 1;
    }
  };
  await Promise.all([...Array.from({ length: 12 }, ownStreams), ...contested.split(',').map(sharedStream)]);
  await log.close();
  return { acknowledged, ...counts };
};

void main().then((report) => process.send?.(report, () => process.disconnect()));
