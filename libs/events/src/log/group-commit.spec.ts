import { setImmediate as nextTurn } from 'node:timers/promises';
import type { NewEvent } from '../contracts';
import type { BatchResult } from './append-batch-writer';
import { aRunId, anEvent } from './event-log.fixtures';
import { LogUnavailable } from './event-log.port';
import { DEFAULT_GROUP_COMMIT_LIMITS, GroupCommit } from './group-commit';

interface Statement {
  readonly appends: number;
  answer(outage?: LogUnavailable): Promise<void>;
}

describe('statements of at most three events', () => {
  let statements: Statement[];
  let log: GroupCommit;
  const append = (count: number) => Promise.allSettled(Array.from({ length: count }, () => log.append([anEvent(aRunId())])));
  const sizes = (): number[] => statements.map(({ appends }) => appends);
  const write = (appends: readonly (readonly NewEvent[])[]): Promise<BatchResult> => {
    const { promise, resolve } = Promise.withResolvers<BatchResult>();
    statements.push({
      appends: appends.length,
      answer: async (outage) => {
        resolve({ settlements: appends.map(() => outage ?? { status: 'ok', lastPosition: 1 }), lastPosition: 1 });
        await nextTurn();
        await nextTurn();
      },
    });
    return promise;
  };

  beforeEach(() => {
    statements = [];
    log = new GroupCommit({ write, prepare: (appends) => () => write(appends) }, () => undefined, { ...DEFAULT_GROUP_COMMIT_LIMITS, batchEventsMax: 3 });
  });

  it('leave one behind the other when they are full, a third one when the first is answered', async () => {
    void append(9);
    await nextTurn();
    expect(sizes()).toEqual([3, 3]);
    await statements[0]?.answer();
    expect(sizes()).toEqual([3, 3, 3]);
  });

  it('wait for the answer when they are not full, and leave at once when they become it', async () => {
    void append(1);
    await nextTurn();
    void append(2);
    await nextTurn();
    expect(sizes()).toEqual([1]);
    void append(1);
    await nextTurn();
    expect(sizes()).toEqual([1, 3]);
    void append(1);
    await statements[0]?.answer();
    expect(sizes()).toEqual([1, 3]);
    await statements[1]?.answer();
    expect(sizes()).toEqual([1, 3, 1]);
  });

  it('are all answered before it is drained', async () => {
    const outcomes = append(7);
    let isDrained = false;
    const draining = log.drain().then(() => (isDrained = true));
    for (let index = 0; index < 3; index += 1) {
      await nextTurn();
      expect(isDrained).toBe(false);
      await statements[index]?.answer();
    }
    await draining;
    expect(await outcomes).toHaveLength(7);
  });

  it('that were prepared wait for nobody, and those behind them wait for their answer', async () => {
    const send = log.prepare(Array.from({ length: 7 }, () => [anEvent(aRunId())]));
    void append(1);
    await nextTurn();
    const outcomes = Promise.all(send());
    void append(3);
    await nextTurn();
    expect(sizes()).toEqual([1, 3, 3, 1]);
    for (let index = 0; index < 4; index += 1) await statements[index]?.answer();
    expect((await outcomes).map(({ status }) => status)).toEqual(Array(7).fill('ok'));
    expect(sizes()).toEqual([1, 3, 3, 1, 3]);
  });

  it('that wait through an outage are rejected; the one on its way is answered by itself', async () => {
    const outcomes = append(8);
    await nextTurn();
    await statements[0]?.answer(new LogUnavailable('disconnected', 'gone'));
    expect(sizes()).toEqual([3, 3]);
    await statements[1]?.answer();
    expect((await outcomes).map(({ status }) => status[0]).join('')).toBe('rrrfffrr');
  });
});
