import { setTimeout as sleep } from 'node:timers/promises';
import { type Bus, BusUnavailable, type FeedMessage, type StepDelivery } from './bus.port';

/** What an adapter brings to the suite. Two processes on the same bus; in process they may be one object. */
export interface BusUnderTest {
  readonly here: Bus;
  readonly there: Bus;
  /** How soon a step that was not acknowledged comes again. */
  readonly ackWaitMs: number;
  /** Everything outside subscribers find, in order. */
  readFeed(): Promise<readonly StoredMessage[]>;
  close(): Promise<void>;
}

/** A message carries what it holds, not where else that is. */
export type StoredMessage = Omit<FeedMessage, 'dataref'>;

const RUN = '0190a0a0-1111-7222-8333-444455556666';

export const busContract = (name: string, open: () => Promise<BusUnderTest>): void => {
  describe(`[S3-03] ${name} keeps the contract of the bus`, () => {
    let bus: BusUnderTest;
    beforeEach(async () => {
      bus = await open();
    });
    afterEach(() => bus.close());

    describe('steps', () => stepContract(() => bus));
    describe('hints and requests', () => coreContract(() => bus));
    describe('feed', () => feedContract(() => bus));
  });
};

const stepContract = (bus: () => BusUnderTest): void => {
  it('[S3-03] delivers a payload byte for byte, as a first delivery', async () => {
    const { here, there } = bus();
    const steps = await collect(there, 'default', 10, (delivery) => delivery.ack());
    const payload = JSON.stringify({ text: 'ü €\u0001 🙂', big: 'x'.repeat(200_000), number: '12345678901234567890.10' });
    await here.publishStep('default', RUN, payload);
    await eventually(() => steps.length === 1);
    expect(steps[0]).toMatchObject({ payload, deliveries: 1 });
  });

  it('[S3-03] delivers what was published before anybody consumed, in order', async () => {
    const { here, there } = bus();
    await publish(here, 'default', 50);
    const steps = await collect(there, 'default', 100, (delivery) => delivery.ack());
    await eventually(() => steps.length === 50);
    expect(payloads(steps)).toEqual(numbers(50));
  });

  it('[S3-03] gives each step to one consumer of the pool', async () => {
    const { here, there } = bus();
    const first = await collect(here, 'default', 5, (delivery) => delivery.ack());
    const second = await collect(there, 'default', 5, (delivery) => delivery.ack());
    await publish(here, 'default', 100);
    await eventually(() => first.length + second.length >= 100);
    await sleep(50);
    expect(payloads([...first, ...second]).sort(byNumber)).toEqual(numbers(100));
  });

  it('[S3-03] keeps pools apart, whatever their names', async () => {
    const { here, there } = bus();
    const names = ['default', 'default.0', '*', '>', 'gpu pool', 'größe', 'a=b', ''];
    const seen = await Promise.all(names.map((pool) => collect(there, pool, 5, (delivery) => delivery.ack())));
    for (const pool of names) await here.publishStep(pool, RUN, `for ${pool}`);
    await eventually(() => seen.every((steps) => steps.length > 0));
    await sleep(50);
    expect(seen.map(payloads)).toEqual(names.map((pool) => [`for ${pool}`]));
  });

  it('[S3-03] delivers again what nobody acknowledged, and never what was', async () => {
    const { here, there, ackWaitMs } = bus();
    const steps = await collect(there, 'default', 10, (delivery) => {
      if (delivery.payload === 'acked' || delivery.deliveries === 2) delivery.ack();
    });
    await here.publishStep('default', RUN, 'acked');
    await here.publishStep('default', RUN, 'forgotten');
    await eventually(() => steps.length === 3);
    await sleep(ackWaitMs * 2);
    expect(steps.map(({ payload, deliveries }) => [payload, deliveries])).toEqual([['acked', 1], ['forgotten', 1], ['forgotten', 2]]);
  });

  it('[S3-03] delivers a step that was given back after its delay and not before', async () => {
    const { here, there } = bus();
    const arrivals: number[] = [];
    const steps = await collect(there, 'default', 10, (delivery) => {
      arrivals.push(performance.now());
      if (delivery.deliveries === 1) delivery.retryLater(150);
      else delivery.ack();
    });
    await here.publishStep('default', RUN, 'later');
    await eventually(() => steps.length === 2);
    expect((arrivals[1] ?? 0) - (arrivals[0] ?? 0)).toBeGreaterThanOrEqual(140);
    expect(steps[1]?.deliveries).toBe(2);
  });

  it('[S3-03] hands a consumer no more than it can hold, and goes on when there is room', async () => {
    const { here, there } = bus();
    const held: StepDelivery[] = [];
    const steps = await collect(there, 'default', 3, (delivery) => held.push(delivery));
    await publish(here, 'default', 10);
    await eventually(() => held.length === 3);
    await sleep(50);
    expect(held).toHaveLength(3);
    while (steps.length < 10) {
      held.shift()?.ack();
      await eventually(() => held.length > 0);
      expect(held.length).toBeLessThanOrEqual(3);
      await sleep(1);
    }
    expect(payloads(steps)).toEqual(numbers(10));
  });

  it('[S3-03] takes a second answer to a delivery as none', async () => {
    const { here, there } = bus();
    const steps = await collect(there, 'default', 2, (delivery) => {
      delivery.ack();
      delivery.ack();
      delivery.retryLater(1);
    });
    await publish(here, 'default', 20);
    await eventually(() => steps.length >= 20);
    await sleep(100);
    expect(payloads(steps)).toEqual(numbers(20));
  });

  it('[S3-03] gives the steps of a closed consumer to another', async () => {
    const { here, there } = bus();
    const lost: StepDelivery[] = [];
    const subscription = await there.consumeSteps('default', 5, (delivery) => lost.push(delivery));
    await publish(here, 'default', 20);
    await eventually(() => lost.length === 5);
    await subscription.close();
    lost[0]?.ack();
    const steps = await collect(here, 'default', 50, (delivery) => delivery.ack());
    await eventually(() => steps.length >= 19);
    expect(payloads(steps).sort(byNumber)).toEqual(numbers(20).filter((payload) => payload !== lost[0]?.payload));
    expect(lost).toHaveLength(5);
  });

  it('[S3-03] refuses to publish after it was closed', async () => {
    const { here } = bus();
    await here.close();
    expect(here.isConnected()).toBe(false);
    expect(() => here.hint('log', 'nobody')).not.toThrow();
    await expect(here.publishStep('default', RUN, 'late')).rejects.toThrow(BusUnavailable);
    await expect(here.publishFeed([event(1)])).rejects.toThrow(BusUnavailable);
    await expect(here.request('who', '', 100)).rejects.toThrow(BusUnavailable);
  });
};

const coreContract = (bus: () => BusUnderTest): void => {
  it('[S3-03] carries a hint to every listener of its topic, the own process included', async () => {
    const { here, there } = bus();
    const heard: string[] = [];
    here.onHint('log', (payload) => heard.push(`here ${payload}`));
    there.onHint('log', (payload) => heard.push(`there ${payload}`));
    there.onHint('decide', (payload) => heard.push(`wrong ${payload}`));
    await settled(bus());
    here.hint('log', '42');
    await eventually(() => heard.length === 2);
    await sleep(20);
    expect(heard.sort()).toEqual(['here 42', 'there 42']);
  });

  it('[S3-03] stops when the listener is closed', async () => {
    const { here, there } = bus();
    const heard: string[] = [];
    const subscription = there.onHint('log', (payload) => heard.push(payload));
    there.onHint('log', (payload) => heard.push(`other ${payload}`));
    await settled(bus());
    await subscription.close();
    await settled(bus());
    here.hint('log', 'x');
    await eventually(() => heard.length > 0);
    expect(heard).toEqual(['other x']);
  });

  it('[S3-03] answers a request, by one responder', async () => {
    const { here, there } = bus();
    let calls = 0;
    const answer = (payload: string): Promise<string> => Promise.resolve(`${payload}! ${(calls += 1)}`);
    await there.respond('workers.default', answer);
    await here.respond('workers.default', answer);
    expect(await here.request('workers.default', 'hallö', 1_000)).toBe('hallö! 1');
    expect(calls).toBe(1);
  });

  it('[S3-03] says at once when nobody answers, and in time when somebody is silent', async () => {
    const { here, there } = bus();
    const started = performance.now();
    await expect(here.request('nobody', '', 5_000)).rejects.toMatchObject({ name: 'BusUnavailable', code: 'BUS_NO_RESPONDER' });
    expect(performance.now() - started).toBeLessThan(1_000);
    await there.respond('silent', () => new Promise<string>(() => undefined));
    await there.respond('broken', () => Promise.reject(new Error('no')));
    await expect(here.request('silent', '', 50)).rejects.toMatchObject({ code: 'BUS_TIMEOUT' });
    await expect(here.request('broken', '', 50)).rejects.toMatchObject({ code: 'BUS_TIMEOUT' });
  });

  it('[S3-03] refuses subjects that could reach others', async () => {
    const { here } = bus();
    for (const subject of ['a.>', '*', 'a b', 'a..b', '']) {
      await expect(here.publishFeed([{ ...event(1), subject }])).rejects.toThrow(TypeError);
    }
  });
};

const feedContract = (bus: () => BusUnderTest): void => {
  it('[S3-03] stores the feed in order, with headers, and each id once', async () => {
    const { here, there, readFeed } = bus();
    const all = numbers(1_200).map((number) => event(Number(number)));
    await here.publishFeed(all.slice(0, 700));
    await there.publishFeed(all.slice(300, 900));
    await here.publishFeed(all);
    await here.publishFeed([]);
    const stored = await readFeed();
    expect(stored).toHaveLength(1_200);
    expect(all).toMatchObject(stored);
  });

  it('[S3-03] can be subscribed to before the first event', async () => {
    const { here, readFeed } = bus();
    await here.publishFeed([]);
    expect(await readFeed()).toEqual([]);
  });

  it('[S3-03] stores everything when several publish at once', async () => {
    const { here, there, readFeed } = bus();
    const all = numbers(600).map((number) => event(Number(number)));
    await Promise.all([
      here.publishFeed(all.slice(0, 300)), there.publishFeed(all.slice(200, 500)), here.publishFeed(all.slice(400)),
    ]);
    expect((await readFeed()).map(({ id }) => id).sort()).toEqual(all.map(({ id }) => id).sort());
  });
};

export const event = (number: number): FeedMessage => ({
  subject: `default.run_${RUN}.TaskTransitioned`,
  id: `e${number}`,
  headers: { 'ce-id': `e${number}`, 'ce-specversion': '1.0', 'ce-subject': 'größe' },
  payload: `{"n":${number},"text":"€"}`,
  dataref: `/${number}`,
});

export const publish = async (bus: Bus, pool: string, count: number): Promise<void> => {
  for (const payload of numbers(count)) await bus.publishStep(pool, RUN, payload);
};

interface Seen {
  readonly payload: string;
  readonly deliveries: number;
}

const collect = async (bus: Bus, pool: string, maxInFlight: number, handle: (delivery: StepDelivery) => void): Promise<Seen[]> => {
  const seen: Seen[] = [];
  await bus.consumeSteps(pool, maxInFlight, (delivery) => {
    seen.push({ payload: delivery.payload, deliveries: delivery.deliveries });
    handle(delivery);
  });
  return seen;
};

/** Both have told the server what they listen to: a request takes the same way as the subscriptions before it. */
const settled = async ({ here, there }: BusUnderTest): Promise<void> => {
  await Promise.all([here, there].map((bus) => bus.request('settled.nobody', '', 1_000).catch(() => undefined)));
};

const payloads = (seen: readonly Seen[]): string[] => seen.map(({ payload }) => payload);
const numbers = (count: number): string[] => Array.from({ length: count }, (_, index) => String(index));
const byNumber = (a: string, b: string): number => Number(a) - Number(b);

export const eventually = async (condition: () => boolean, timeoutMs = 10_000): Promise<void> => {
  const deadline = performance.now() + timeoutMs;
  while (!condition()) {
    if (performance.now() > deadline) throw new Error(`Not reached in ${timeoutMs} ms: ${condition}`);
    await sleep(2);
  }
};
