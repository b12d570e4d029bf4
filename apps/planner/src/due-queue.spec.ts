import type { RunId } from '@foldwork/events';
import { DueQueue, LEAD_MS, RUNS_PER_LEAD_MS } from './due-queue';

const run = (name: string): RunId => name as RunId;
let fired: [at: number, runIds: RunId[], now: number][];
let queue: DueQueue;

beforeEach(() => {
  jest.useFakeTimers({ now: 0 });
  fired = [];
  queue = new DueQueue((runIds, at) => fired.push([at, runIds, Date.now()]), Date.now);
});
afterEach(() => {
  queue.close();
  expect(jest.getTimerCount()).toBe(0);
  jest.useRealTimers();
});

it('hands over together what is due together, with the moment it is due, a lead before it', () => {
  queue.add(run('a'), 1_000);
  queue.add(run('b'), 1_000);
  queue.add(run('c'), 2_000);
  jest.advanceTimersByTime(1_000 - LEAD_MS - 1);
  expect(fired).toEqual([]);
  jest.advanceTimersByTime(2_000);
  expect(fired).toEqual([[1_000, ['a', 'b'], 1_000 - LEAD_MS], [2_000, ['c'], 2_000 - LEAD_MS]]);
});

it('hands over sooner what takes longer because it is much', () => {
  const many = Array.from({ length: 40 * RUNS_PER_LEAD_MS }, (_, index) => run(`run${index}`));
  for (const one of many) queue.add(one, 1_000);
  jest.advanceTimersByTime(2_000);
  expect(fired.map(([at, runIds, now]) => [at, runIds.length, now])).toEqual([[1_000, many.length, 1_000 - LEAD_MS - 40]]);
});

it('keeps the earliest appointment of a run, and hands it over once', () => {
  queue.add(run('a'), 900);
  queue.add(run('a'), 300);
  queue.add(run('a'), 600);
  jest.advanceTimersByTime(5_000);
  expect(fired).toEqual([[300, ['a'], 300 - LEAD_MS]]);
});

it('hands over at once what is overdue, and again what is added afterwards', () => {
  queue.add(run('a'), -5);
  jest.advanceTimersByTime(0);
  queue.add(run('a'), 500);
  jest.advanceTimersByTime(500);
  expect(fired.map(([at]) => at)).toEqual([-5, 500]);
});

it('forgets what is removed, and everything when it is closed', () => {
  queue.add(run('a'), 500);
  queue.add(run('b'), 600);
  queue.remove(run('a'));
  jest.advanceTimersByTime(500);
  expect(fired).toEqual([]);
  queue.close();
  queue.add(run('c'), 700);
  jest.advanceTimersByTime(5_000);
  expect(fired).toEqual([]);
});
