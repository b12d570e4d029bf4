import { rm } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { jetstreamManager, RetentionPolicy, StorageType, type JetStreamManager } from '@nats-io/jetstream';
import { nanos } from '@nats-io/transport-node';
import { connect, type NatsConnection } from '@nats-io/transport-node';
import { startThrowawayNats, type ThrowawayNats } from '@foldwork/testing';
import { event, eventually } from '../bus.contract';
import { BusUnavailable } from '../bus.port';
import { connectNatsBus, type NatsBus } from './nats-bus.adapter';

const RUN = '0190a0a0-1111-7222-8333-444455556666';
const PREFIX = 'faults';
const STEPS = 'FAULTS_STEPS';
const FEED = 'FAULTS_EVENTS';

let nats: ThrowawayNats;
let planner: NatsBus;
let executor: NatsBus;
let troubles: string[];
const opened: { close(): Promise<void> }[] = [];

const open = async (name: string, more: { readonly connectWaitMs?: number; readonly stepAgeMsMax?: number } = {}): Promise<NatsBus> => {
  const bus = await connectNatsBus({
    servers: nats.url, name, prefix: PREFIX, ackWaitMs: 500, heartbeatMs: 500, ...more,
    onTrouble: ({ code, message }) => troubles.push(`${code} ${message}`),
  });
  opened.push(bus);
  return bus;
};

/** The plain client beside the bus, to do harm with. */
const vandal = async (): Promise<JetStreamManager> => {
  const connection: NatsConnection = await connect({ servers: nats.url });
  opened.push(connection);
  return jetstreamManager(connection);
};

/** Like the real one: whatever is not done is wished again, now and then and after a reconnect. */
class Work {
  private readonly done = new Set<string>();
  private next = 0;
  private over = false;
  readonly refusals: { readonly error: unknown; readonly tookMs: number }[] = [];

  async consume(bus: NatsBus): Promise<void> {
    await bus.consumeSteps('default', 50, (delivery) => {
      this.done.add(delivery.payload);
      delivery.ack();
    });
  }

  /** Publishes about 500 new steps per second until `stop`. */
  async publish(bus: NatsBus): Promise<void> {
    while (!this.over) {
      await this.wish(bus, String(this.next));
      this.next += 1;
      await sleep(2);
    }
  }

  stop(): void {
    this.over = true;
  }

  missing(): string[] {
    return Array.from({ length: this.next }, (_, index) => String(index)).filter((payload) => !this.done.has(payload));
  }

  /** Wishes what is missing once a second, as an agenda does; true as soon as everything is done. */
  async finish(bus: NatsBus): Promise<boolean> {
    for (let round = 0; round < 8 && this.missing().length > 0; round += 1) {
      await this.wishMissing(bus);
      await eventually(() => this.missing().length === 0, 1_000).catch(() => undefined);
    }
    return this.missing().length === 0;
  }

  async wishMissing(bus: NatsBus): Promise<void> {
    for (const payload of this.missing()) await this.wish(bus, payload);
  }

  private async wish(bus: NatsBus, payload: string): Promise<void> {
    const started = performance.now();
    await bus.publishStep('default', RUN, payload).catch((error: unknown) => this.refusals.push({ error, tookMs: performance.now() - started }));
  }
}

describe('the NATS bus under faults', () => {
  beforeEach(async () => {
    troubles = [];
    nats = await startThrowawayNats();
    planner = await open('planner');
    executor = await open('executor');
  });
  afterEach(async () => {
    for (const closable of opened.splice(0)) await closable.close();
    await nats.stop();
  });

  it('refuses at once while NATS is gone, loses nothing it accepted, and goes on when NATS is back', async () => {
    const work = new Work();
    let reconnects = 0;
    planner.onReconnect(() => (reconnects += 1));
    await work.consume(executor);
    const publishing = work.publish(planner);
    await sleep(500);
    await nats.kill();
    await eventually(() => !planner.isConnected() && !executor.isConnected());
    await sleep(3_000);
    expect(work.refusals.length).toBeGreaterThan(10);
    for (const { error, tookMs } of work.refusals) {
      expect(error).toBeInstanceOf(BusUnavailable);
      expect(tookMs).toBeLessThan(100);
    }
    await expect(planner.publishFeed([event(1)])).rejects.toThrow(BusUnavailable);
    await nats.restart();
    await eventually(() => reconnects === 1 && executor.isConnected());
    await sleep(300);
    work.stop();
    await publishing;
    const refused = work.refusals.length;
    await eventually(() => work.missing().length <= refused);
    expect(await work.finish(planner)).toBe(true);
    await planner.publishFeed([event(1)]);
  });

  it('does not take the silence of an outage for a stream that cannot write', async () => {
    const seen = new Set<string>();
    await executor.consumeSteps('default', 50, (delivery) => {
      seen.add(delivery.payload);
      delivery.ack();
    });
    const pid = nats.pid();
    if (pid === undefined) return; // in a container
    process.kill(pid, 'SIGSTOP');
    await planner.publishStep('default', RUN, 'unanswered');
    await nats.kill();
    await sleep(7_000); // longer than it takes to suspect a stream
    await nats.restart();
    await eventually(() => seen.has('unanswered'));
    expect(troubles.filter((trouble) => trouble.startsWith('STREAM_REMADE'))).toEqual([]);
  });

  it('goes on after the whole JetStream folder was wiped and the server started anew', async () => {
    const work = new Work();
    await work.consume(executor);
    const publishing = work.publish(planner);
    planner.onReconnect(() => void work.wishMissing(planner));
    await sleep(300);
    await nats.kill();
    await rm(nats.storeDir ?? '', { recursive: true, force: true });
    await nats.restart();
    await eventually(() => planner.isConnected() && executor.isConnected());
    await sleep(500);
    work.stop();
    await publishing;
    expect(await work.finish(planner)).toBe(true);
    await planner.publishFeed([event(1), event(2), event(3)]);
  });

  it('goes on while the JetStream folder is wiped under the running server', async () => {
    const work = new Work();
    await work.consume(executor);
    const publishing = work.publish(planner);
    await planner.publishFeed([event(1), event(2), event(3)]);
    await sleep(300);
    await rm(nats.storeDir ?? '', { recursive: true, force: true, maxRetries: 10 }); // the server writes meanwhile
    await sleep(2_000);
    work.stop();
    await publishing;
    expect(await work.finish(planner)).toBe(true);
    await planner.publishFeed([event(4), event(5), event(6)]);
  });

  it('creates a consumer and a stream anew that were deleted under it', async () => {
    const work = new Work();
    await work.consume(executor);
    const publishing = work.publish(planner);
    await sleep(200);
    const manager = await vandal();
    const restarted = (): boolean => troubles.some((trouble) => trouble.startsWith('CONSUMER_RESTARTED'));
    await manager.consumers.delete(STEPS, 'pool_default').catch(() => undefined); // the server stumbles over files in use, and deletes
    await eventually(restarted);
    await sleep(200);
    expect((await manager.consumers.info(STEPS, 'pool_default')).config.max_ack_pending).toBe(20_000);
    await manager.streams.delete(STEPS);
    await sleep(500);
    work.stop();
    await publishing;
    expect(await work.finish(planner)).toBe(true);
    expect(work.refusals).toEqual([]);
  });

  it('stores a step that was published into a deleted stream, without being asked twice', async () => {
    const seen: string[] = [];
    const manager = await vandal();
    await manager.streams.delete(STEPS);
    await planner.publishStep('default', RUN, 'kept');
    await executor.consumeSteps('default', 1, (delivery) => {
      seen.push(delivery.payload);
      delivery.ack();
    });
    await eventually(() => seen.length === 1);
    expect(seen).toEqual(['kept']);
  });

  it('notices a server that holds the line and says nothing, and starts the consumer anew', async () => {
    const seen: string[] = [];
    await executor.consumeSteps('default', 5, (delivery) => {
      seen.push(delivery.payload);
      delivery.ack();
    });
    const pid = nats.pid();
    if (pid === undefined) return; // in a container
    await planner.publishStep('default', RUN, 'before the silence');
    await eventually(() => seen.length === 1);
    try {
      process.kill(pid, 'SIGSTOP');
      await eventually(() => troubles.some((trouble) => trouble.includes('no heartbeat')));
    } finally {
      process.kill(pid, 'SIGCONT');
    }
    await planner.publishStep('default', RUN, 'after the silence');
    await eventually(() => seen.includes('after the silence'));
  });

  it('starts without a server and begins when there is one', async () => {
    await nats.kill();
    const started = performance.now();
    const early = await open('early', { connectWaitMs: 200 });
    expect(performance.now() - started).toBeLessThan(1_500);
    expect(early.isConnected()).toBe(false);
    const seen: string[] = [];
    const hints: string[] = [];
    let ups = 0;
    early.onReconnect(() => (ups += 1));
    early.onHint('log', (payload) => hints.push(payload));
    await early.consumeSteps('default', 5, (delivery) => {
      seen.push(delivery.payload);
      delivery.ack();
    });
    await expect(early.publishStep('default', RUN, 'too early')).rejects.toMatchObject({ code: 'BUS_DISCONNECTED' });
    await nats.restart();
    await eventually(() => early.isConnected() && planner.isConnected() && ups === 1);
    await planner.publishStep('default', RUN, 'first');
    await eventually(() => seen.length === 1);
    await eventually(() => {
      planner.hint('log', 'now');
      return hints.length > 0;
    });
  });

  it('frees the place of a delivery that was never answered', async () => {
    const seen: string[] = [];
    await executor.consumeSteps('default', 1, (delivery) => {
      seen.push(delivery.payload);
      if (delivery.payload !== 'stuck' || delivery.deliveries > 1) delivery.ack();
    });
    await planner.publishStep('default', RUN, 'stuck');
    await planner.publishStep('default', RUN, 'next');
    await eventually(() => seen.filter((payload) => payload === 'stuck').length === 2 && seen.includes('next'));
  });

  it('tells of a step that is too large for the server, keeps nothing of it, and goes on', async () => {
    const seen: string[] = [];
    await executor.consumeSteps('default', 5, (delivery) => {
      seen.push(delivery.payload);
      delivery.ack();
    });
    await planner.publishStep('default', RUN, 'before');
    await eventually(() => seen.length === 1);
    await expect(planner.publishStep('default', RUN, 'x'.repeat(1_100_000))).rejects.toMatchObject({ name: 'BusUnavailable', code: 'BUS_TOO_LARGE' });
    expect(() => planner.hint('cancel', 'x'.repeat(1_100_000))).not.toThrow();
    await sleep(4_700); // longer than it takes to send again what was not answered
    await planner.publishStep('default', RUN, 'after');
    await eventually(() => seen.length === 2);
    expect(seen).toEqual(['before', 'after']);
  });

  it('sends a feed batch again when part of it was not stored, and stores each event once', async () => {
    const manager = await vandal();
    const all = Array.from({ length: 400 }, (_, index) => event(index));
    await planner.publishFeed(all.slice(0, 10));
    // a stream that holds a tenth of the batch: the server drops what is over without a word to those who do not ask
    await manager.streams.update(FEED, { ...(await manager.streams.info(FEED)).config, max_msgs: 10 });
    await planner.publishFeed(all);
    expect((await manager.streams.info(FEED)).state.last_seq).toBe(400);
    await manager.streams.delete(FEED);
    await planner.publishFeed(all);
    const { state, config } = await manager.streams.info(FEED);
    expect(state.messages).toBe(400);
    expect(config.duplicate_window).toBe(nanos(30_000));
  });

  it('adapts a stream of other settings where it can, and complains where it cannot', async () => {
    await open('other', { stepAgeMsMax: 60_000 });
    const manager = await vandal();
    await sleep(300); // the bus is connected at once and looks after its streams then
    expect((await manager.streams.info(STEPS)).config.max_age).toBe(nanos(60_000));
    expect(troubles.filter((trouble) => trouble.startsWith('SETTINGS_DIFFER'))).toEqual([]);
    await Promise.all(opened.splice(0, 3).map((bus) => bus.close()));
    await manager.streams.delete(STEPS);
    await manager.streams.add({ name: STEPS, subjects: [`${PREFIX}.steps.>`], retention: RetentionPolicy.Workqueue, storage: StorageType.Memory });
    await open('third');
    await eventually(() => troubles.some((trouble) => /SETTINGS_DIFFER FAULTS_STEPS .*storage: "file" ≠ "memory"/.test(trouble)));
  });
});
