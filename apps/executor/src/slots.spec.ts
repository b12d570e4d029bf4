import { Slots } from './slots';

beforeEach(() => jest.useFakeTimers());
afterEach(() => jest.useRealTimers());

it('gives so many slots at a time, then in the order of asking', async () => {
  const slots = new Slots(2);
  expect(await Promise.all([slots.take(100), slots.take(100)])).toEqual([true, true]);
  const order: string[] = [];
  const first = slots.take(100).then(() => order.push('first'));
  const second = slots.take(100).then(() => order.push('second'));
  slots.give();
  await first;
  slots.give();
  await second;
  expect(order).toEqual(['first', 'second']);
  expect(slots.used).toBe(2);
  slots.give();
  slots.give();
  expect(slots.used).toBe(0);
});

it('sends away whoever waited too long, and keeps the slot for others', async () => {
  const slots = new Slots(1);
  await slots.take(0);
  const late = slots.take(50);
  jest.advanceTimersByTime(50);
  expect(await late).toBe(false);
  slots.give();
  expect(slots.used).toBe(0);
});

it('sends everybody away when it is closed', async () => {
  const slots = new Slots(1);
  await slots.take(0);
  const waiting = slots.take(1_000);
  slots.close();
  expect(await waiting).toBe(false);
  slots.give();
  expect(await slots.take(0)).toBe(false);
});
