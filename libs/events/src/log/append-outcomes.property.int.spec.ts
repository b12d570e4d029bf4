import fc from 'fast-check';
import { createTestDatabase, type TestDatabase } from '@foldwork/testing';
import type { NewEvent, RunId } from '../contracts';
import { AppendBatchEncoder } from './append-batch-encoder';
import { checkedAppend, fastAppend } from './append-batch.query';
import { AppendConnection } from './append-connection';
import { connectionSettings } from './connection-settings';
import { aRunId, anEvent } from './event-log.fixtures';
import { DEFAULT_GROUP_COMMIT_LIMITS } from './group-commit';
import { InMemoryEventLog } from './in-memory-event-log.adapter';
import { logMigrations } from './log-migrations';
import { createPostgresEventLog, type PostgresEventLog } from './postgres-event-log.adapter';
import { verifyLog } from './verify-log';

/** Which event: of few streams, versions and contents, so that appends meet each other all the time. */
const pick = fc.record({ stream: fc.nat(2), version: fc.integer({ min: 1, max: 4 }), content: fc.nat(9).map((n) => (n < 8 ? 0 : 1)) });
const append = fc.array(pick, { minLength: 1, maxLength: 3 });
const batches = fc.array(fc.array(append, { minLength: 1, maxLength: 8 }), { minLength: 1, maxLength: 5 });

describe('batches of appends that meet each other', () => {
  let database: TestDatabase;
  let log: PostgresEventLog;
  beforeAll(async () => {
    database = await createTestDatabase({ migrations: logMigrations });
    log = createPostgresEventLog({ connectionString: database.url });
  });
  afterAll(async () => {
    await log.close();
    await database.drop();
  });

  const build = (runId: RunId, picks: readonly { stream: number; version: number; content: number }[]): NewEvent[] =>
    picks.map(({ stream, version, content }) => anEvent(runId, `t${stream}`, version, { data: `{"content":${content}}` }));
  const content = ({ runId: _, position: __, recordedAt: ___, ...event }: Awaited<ReturnType<PostgresEventLog['readAfter']>>[number]) => event;

  it('have the same outcome as in memory, one after another', async () => {
    const seen = new Set<string>();
    await fc.assert(
      fc.asyncProperty(batches, async (generated) => {
        const runId = aRunId();
        const twin = new InMemoryEventLog();
        const before = await log.head();
        for (const batch of generated) {
          const appends = batch.map((picks) => build(runId, picks));
          const expected = [];
          for (const events of appends) expected.push(await twin.append(events));
          const outcomes = await Promise.all(appends.map((events) => log.append(events)));
          outcomes.forEach(({ status }) => seen.add(status));
          expect(outcomes.map((outcome) => (outcome.status === 'ok' ? { ...outcome, lastPosition: outcome.lastPosition - before } : outcome))).toEqual(expected);
        }
        expect((await log.readRuns([runId])).map(content)).toEqual((await twin.readAfter(0, 1_000)).map(content));
      }),
      { numRuns: 150 },
    );
    expect([...seen].sort()).toEqual(['conflict', 'duplicate', 'ok']);
  }, 60_000);

  it('that overtake each other, two statements being on their way, leave exactly what was acknowledged', async () => {
    const narrow = createPostgresEventLog({ connectionString: database.url, groupCommitLimits: { ...DEFAULT_GROUP_COMMIT_LIMITS, batchEventsMax: 3 } });
    await fc.assert(
      fc.asyncProperty(fc.array(append, { minLength: 6, maxLength: 20 }), async (generated) => {
        const runId = aRunId();
        const appends = generated.map((picks) => build(runId, picks));
        const outcomes = await Promise.all(appends.map((events) => narrow.append(events)));
        const stored = new Map((await narrow.readRuns([runId])).map((event) => [event.position, `${event.task}@${event.version}:${event.data}`]));
        const named = (events: readonly NewEvent[]) => events.map(({ task, version, data }) => `${task}@${version}:${data}`);
        let accepted = 0;
        outcomes.forEach((outcome, index) => {
          const events = named(appends[index] ?? []);
          if (outcome.status === 'duplicate') return expect([...stored.values()]).toEqual(expect.arrayContaining(events));
          if (outcome.status === 'conflict') return undefined;
          accepted += events.length;
          return expect(events.map((_, at) => stored.get(outcome.lastPosition - events.length + 1 + at))).toEqual(events);
        });
        expect(stored.size).toBe(accepted);
      }),
      { numRuns: 100 },
    );
    expect((await verifyLog(narrow)).faults).toEqual([]);
    await narrow.close();
  }, 60_000);

  it('leave the same log behind by the fast way and by the checking way', async () => {
    const connection = new AppendConnection(connectionSettings({ connectionString: database.url }, { lockTimeoutMs: 3_000, statementTimeoutMs: 10_000 }), 12_000, () => undefined);
    const encoder = new AppendBatchEncoder();
    const lengths = fc.array(fc.array(fc.nat(3), { minLength: 1, maxLength: 4 }), { minLength: 1, maxLength: 10 });
    await fc.assert(
      fc.asyncProperty(lengths, async (streams) => {
        const histories = [];
        for (const way of [fastAppend, checkedAppend]) {
          const runId = aRunId();
          const versions = new Map<number, number>();
          const appends = streams.map((ofAppend) => ofAppend.map((stream) => {
            versions.set(stream, (versions.get(stream) ?? 0) + 1);
            return anEvent(runId, `t${stream}`, versions.get(stream));
          }));
          const before = await log.head();
          const answer = way.outcomes(await connection.queryValue(() => way.statement(encoder, appends)), appends);
          const relative = answer.outcomes.map((outcome) => (outcome.status === 'ok' ? outcome.lastPosition - before : outcome.status));
          const events = await log.readRuns([runId]);
          histories.push({ relative, events: events.map(({ task, version, position }) => [task, version, position - before]) });
        }
        expect(histories[0]).toEqual(histories[1]);
      }),
      { numRuns: 60 },
    );
    await connection.close();
  }, 60_000);
});
