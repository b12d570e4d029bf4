import { setImmediate as nextTurn } from 'node:timers/promises';
import { InMemoryEventLog, LogGap, type EventLog, type RecordedEvent } from '@foldwork/events';
import { syntheticRun } from '@foldwork/testing';
import { LogTail } from '../src/log/log-tail';

const filled = async (runs: number): Promise<InMemoryEventLog> => {
  const log = new InMemoryEventLog();
  for (let run = 0; run < runs; run += 1) for (const append of syntheticRun({ steps: 2 }).appends) await log.append(append);
  return log;
};

const counting = (log: EventLog): EventLog & { reads: number } =>
  Object.assign(Object.create(log) as EventLog & { reads: number }, {
    reads: 0,
    readAfter(this: { reads: number }, after: number, limit: number): Promise<RecordedEvent[]> {
      this.reads += 1;
      return log.readAfter(after, limit);
    },
  });

const LIMITS = { firstPageEvents: 4, pageEventsMax: 16, pageBytes: 100_000, eventsMax: 40, bytesMax: 1_000_000 };

const readAll = async (tail: LogTail, after = 0): Promise<number[]> => {
  const positions: number[] = [];
  for (let page = await tail.read(after); page.length > 0; page = await tail.read(positions.at(-1) ?? after)) {
    positions.push(...page.map(({ position }) => position));
  }
  return positions;
};

describe('the tail of the log', () => {
  it('gives each consumer every event in order, whatever the others have read', async () => {
    const tail = new LogTail(await filled(20), LIMITS);
    const all = Array.from({ length: 120 }, (_, index) => index + 1);
    expect(await readAll(tail)).toEqual(all);
    expect(await readAll(tail)).toEqual(all);
    expect(await readAll(tail, 117)).toEqual([118, 119, 120]);
  });

  it('reads the log once for consumers that keep together', async () => {
    const log = counting(await filled(5));
    const tail = new LogTail(log, LIMITS);
    await readAll(tail);
    const { reads } = log;
    for (let after = 0; after < 30; after += 1) expect((await tail.read(after))[0]?.position).toBe(after + 1);
    await Promise.all([tail.read(30), tail.read(30), tail.read(30)]);
    expect(log.reads).toBe(reads + 1);
  });

  it('tells those who wait as soon as somebody has read on', async () => {
    const log = await filled(1);
    const tail = new LogTail(log, LIMITS);
    const waiting = tail.follow(0, 60_000);
    expect((await tail.read(0)).length).toBe(4);
    expect((await waiting).map(({ position }) => position)).toEqual([1, 2, 3, 4]);
    const late = tail.follow(4, 60_000);
    tail.release();
    expect((await late)[0]?.position).toBe(5);
  });

  it('waits at the end of a log that stands still, though nobody has read what is before it', async () => {
    const log = counting(await filled(1));
    const tail = new LogTail(log, LIMITS);
    expect(await tail.follow(6, 60_000)).toEqual([]);
    const waiting = tail.follow(6, 60_000);
    await nextTurn();
    expect(log.reads).toBe(1);
    tail.release();
    expect(await waiting).toEqual([]);
  });

  it('asks for smaller pages where events are large', async () => {
    const log = new InMemoryEventLog();
    for (let run = 0; run < 20; run += 1) await log.append(syntheticRun({ input: { text: 'x'.repeat(60_000) } }).appends[0]!);
    const sizes: number[] = [];
    const tail = new LogTail(log, LIMITS);
    let after = 0;
    for (let page = await tail.read(after); page.length > 0; page = await tail.read(after)) {
      sizes.push(page.length);
      after += page.length;
    }
    expect(sizes[0]).toBe(4);
    expect(Math.max(...sizes.slice(1))).toBe(1);
  });

  it('stops at a gap', async () => {
    const log = await filled(1);
    const holed = { readAfter: async (after: number, limit: number) => (await log.readAfter(after, limit)).filter(({ position }) => position !== 3) };
    await expect(new LogTail(holed, LIMITS).read(0)).rejects.toThrow(LogGap);
  });
});
