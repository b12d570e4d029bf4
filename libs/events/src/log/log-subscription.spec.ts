import { setTimeout as sleep } from 'node:timers/promises';
import type { RecordedEvent } from '../contracts';
import { InMemoryCheckpointStore } from './checkpoint-store.port';
import { aRunId, anEvent } from './event-log.fixtures';
import { LogUnavailable } from './event-log.port';
import { InMemoryEventLog } from './in-memory-event-log.adapter';
import { LogGap, LogSubscription, type LogSubscriptionOptions } from './log-subscription.consumer';
import { savedCursor } from './saved-cursor';

const NEVER_MS = { hinted: 3_600_000, unhinted: 3_600_000 };

describe('log subscription', () => {
  let log: InMemoryEventLog;
  let subscription: LogSubscription | undefined;
  let stopped: unknown[];
  let seen: number[];
  const grow = async (count: number) => {
    for (let i = 0; i < count; i++) await log.append([anEvent(aRunId())]);
  };
  const follow = (options: Partial<LogSubscriptionOptions> = {}): LogSubscription => {
    const handle = async (events: readonly RecordedEvent[]) => void seen.push(...events.map(({ position }) => position));
    subscription = new LogSubscription({
      name: 'test', log, cursor: { load: async () => 0 }, handle, onStopped: (error) => stopped.push(error), pollIntervalMs: NEVER_MS, ...options,
    });
    subscription.start();
    return subscription;
  };
  const until = async (condition: () => boolean) => {
    for (const deadline = Date.now() + 5_000; !condition(); await sleep(1)) if (Date.now() > deadline) throw new Error('did not happen');
  };

  beforeEach(() => {
    log = new InMemoryEventLog();
    subscription = undefined;
    stopped = [];
    seen = [];
  });
  afterEach(() => subscription?.close());

  it('hands over every event once, in order, in batches of at most the limit (1)', async () => {
    await grow(25);
    const sizes: number[] = [];
    follow({ batchEventsMax: 10, handle: async (events) => void (sizes.push(events.length), seen.push(...events.map(({ position }) => position))) });
    await until(() => seen.length === 25);
    expect(seen).toEqual(Array.from({ length: 25 }, (_, i) => i + 1));
    expect(sizes).toEqual([10, 10, 5]);
  });

  it('is woken by a hint', async () => {
    const subscribed = follow();
    await sleep(5);
    await grow(1);
    subscribed.wake();
    await until(() => seen.length === 1);
  });

  it('loses no hint that comes between reading and waiting', async () => {
    let reads = 0;
    const growing = async (after: number, limit: number) => {
      const read = await log.readAfter(after, limit);
      if (reads++ === 0) {
        await grow(1);
        subscription?.wake();
      }
      return read;
    };
    follow({ log: { readAfter: growing } });
    await until(() => seen.length === 1);
    expect(reads).toBe(3);
  });

  it('finds new events by polling when there are no hints, more rarely when there are', async () => {
    const intervals = { hinted: 3_600_000, unhinted: 1 };
    let hasHints = false;
    follow({ pollIntervalMs: intervals, hasHints: () => hasHints });
    await grow(1);
    await until(() => seen.length === 1);
    hasHints = true;
    await sleep(10);
    await grow(1);
    await sleep(20);
    expect(seen).toEqual([1]);
  });

  it('moves the cursor only after the handler, and starts behind it the next time (2)', async () => {
    const checkpoints = new InMemoryCheckpointStore();
    await grow(3);
    let release = () => undefined as void;
    const held = new Promise<void>((resolve) => (release = resolve));
    const first = follow({ cursor: savedCursor(checkpoints, 'test'), handle: () => held });
    await sleep(5);
    expect(await checkpoints.load('test')).toBe(0);
    release();
    await first.close();
    expect(await checkpoints.load('test')).toBe(3);
    await grow(1);
    follow({ cursor: savedCursor(checkpoints, 'test') });
    await until(() => seen.length === 1);
    expect(seen).toEqual([4]);
  });

  it('repeats a batch whose handler failed transiently, and reading and saving too', async () => {
    await grow(2);
    const trouble: unknown[] = [];
    const failing = { load: 1, read: 1, handle: 1, save: 1 };
    const once = (what: keyof typeof failing) => {
      if (failing[what]-- > 0) throw new LogUnavailable('disconnected', what);
    };
    const subscribed = follow({
      cursor: { load: async () => (once('load'), 0), save: async () => once('save') },
      log: { readAfter: async (...args) => (once('read'), log.readAfter(...args)) },
      handle: async (events) => (once('handle'), void seen.push(...events.map(({ position }) => position))),
      onTrouble: (error) => trouble.push((error as Error).message),
    });
    await until(() => subscribed.position === 2 && failing.save < 0);
    expect(seen).toEqual([1, 2]);
    expect(trouble).toEqual(['load', 'read', 'handle', 'save']);
  });

  it('stops loudly on a hole in the positions and keeps its cursor (3)', async () => {
    await grow(5);
    const holed = { readAfter: async (after: number, limit: number) => (await log.readAfter(after, limit)).filter(({ position }) => position !== 3) };
    const subscribed = follow({ log: holed, batchEventsMax: 2 });
    await until(() => stopped.length === 1);
    expect(stopped[0]).toEqual(new LogGap(3, 4));
    expect(seen).toEqual([1, 2]);
    expect(subscribed.position).toBe(2);
  });

  it('stops when the handler fails for good, without moving the cursor', async () => {
    await grow(1);
    const bug = new Error('bug');
    const subscribed = follow({ handle: () => Promise.reject(bug) });
    await until(() => stopped.length === 1);
    expect(stopped).toEqual([bug]);
    expect(subscribed.position).toBe(0);
  });

  it('pauses after a small batch: a hint does not end the pause, hurry does', async () => {
    await grow(1);
    const subscribed = follow({ pauseMs: 3_600_000 });
    await until(() => seen.length === 1);
    await grow(1);
    subscribed.wake();
    await sleep(10);
    expect(seen).toEqual([1]);
    subscribed.hurry();
    await until(() => seen.length === 2);
  });

  it('closes while it waits, and after the batch in hand', async () => {
    const idle = follow();
    await sleep(2);
    await idle.close();
    await grow(1);
    let isDone = false;
    const busy = follow({ handle: async () => { await sleep(20); isDone = true; } });
    await sleep(5);
    await busy.close();
    expect(isDone).toBe(true);
    expect(busy.position).toBe(1);
    expect(stopped).toEqual([]);
  });
});
