import { InMemoryEventLog, RUN_STREAM, type NewEvent, type RunId } from '@foldwork/events';
import { HeldAppends, MANY, READY_MS } from './held-appends';

const AT = 1_000;
let log: InMemoryEventLog;
let held: HeldAppends;
let runs: number;

const anAppend = (data = '{}'): NewEvent[] => {
  runs += 1;
  const runId = `00000000-0000-4000-8000-${String(runs).padStart(12, '0')}` as RunId;
  return [{ runId, task: RUN_STREAM, version: 1, type: 'RunRequested', schemaVersion: 1, namespace: 'default', decide: true, metadata: '{}', data }];
};
const hold = (isStale = () => false, events = anAppend()): Promise<string> => held.append(AT, events, isStale).then(({ status }) => status, () => 'rejected');
const holdMany = (count: number): Promise<string>[] => Array.from({ length: count }, () => hold());
const passes = (ms: number): Promise<void> => jest.advanceTimersByTimeAsync(ms);
const tally = async (outcomes: readonly Promise<string>[]): Promise<Record<string, number>> => {
  const counts: Record<string, number> = {};
  for (const outcome of await Promise.all(outcomes)) counts[outcome] = (counts[outcome] ?? 0) + 1;
  return counts;
};

beforeEach(() => {
  jest.useFakeTimers({ now: 0 });
  runs = 0;
  log = new InMemoryEventLog();
  held = new HeldAppends(log, Date.now);
});
afterEach(() => {
  expect(jest.getTimerCount()).toBe(0);
  jest.useRealTimers();
});

it.each([1, MANY, 10 * MANY])('appends %d at their moment and never before', async (count) => {
  const outcomes = holdMany(count);
  await passes(AT - 1);
  expect(await log.head()).toBe(0);
  await passes(1);
  expect(await log.head()).toBe(count);
  expect(await tally(outcomes)).toEqual({ ok: count });
});

it('makes ready beforehand what is much, and appends with it what came afterwards', async () => {
  const prepare = jest.spyOn(log, 'prepare');
  const outcomes = holdMany(MANY);
  await passes(AT - READY_MS);
  expect(prepare.mock.calls.map(([appends]) => appends.length)).toEqual([MANY]);
  outcomes.push(...holdMany(3));
  await passes(READY_MS - 1);
  expect(await log.head()).toBe(0);
  await passes(1);
  expect(await tally(outcomes)).toEqual({ ok: MANY + 3 });
  expect(prepare).toHaveBeenCalledTimes(1);
});

it('does not append what became stale after it was made ready, and appends the others all the same, once', async () => {
  let isStale = false;
  const outcomes = [...holdMany(MANY), hold(() => isStale)];
  await passes(AT - READY_MS / 2);
  isStale = true;
  await passes(READY_MS / 2);
  expect(await tally(outcomes)).toEqual({ ok: MANY, conflict: 1 });
  expect(await log.head()).toBe(MANY);
});

it('lets what has nothing to append go on at the moment too, unless it is stale', async () => {
  const goneOn: string[] = [];
  const outcomes = [...holdMany(MANY), hold(undefined, []), hold(() => true, [])];
  outcomes.slice(MANY).forEach((outcome) => void outcome.then((status) => goneOn.push(status)));
  await passes(AT - 1);
  expect(goneOn).toEqual([]);
  await passes(1);
  expect(goneOn).toEqual(['ok', 'conflict']);
  expect(await log.head()).toBe(MANY);
});

it('tells each what the log says to it', async () => {
  const outcomes = [hold(undefined, anAppend('no object')), ...holdMany(MANY)];
  await passes(AT);
  expect(await tally(outcomes)).toEqual({ rejected: 1, ok: MANY });
});

it('appends at once what is held for a moment that has passed', async () => {
  await passes(AT + 5);
  expect(await hold()).toBe('ok');
});
