import { setTimeout as sleep } from 'node:timers/promises';
import { createInbox, nanos, type Msg, type NatsConnection, type Subscription } from '@nats-io/transport-node';
import type { StepDelivery } from '../bus.port';
import { InFlight } from '../in-flight';
import type { BusTrouble, NatsLink } from './nats-link';
import { type DeliveryDesk, NatsStepDelivery } from './nats-step-delivery';
import type { Repair } from './repair';
import { afterDelay, jitteredDelayMs } from './retry-timer';

export interface StepPullOptions {
  readonly link: NatsLink;
  /** Brings stream and consumer into being. */
  readonly pool: Repair;
  /** Whether the server has steps for this consumer and could deliver them. */
  readonly hasUndelivered: (connection: NatsConnection) => Promise<boolean>;
  /** Deletes the server's side of the consumer. */
  readonly remove: (connection: NatsConnection) => Promise<void>;
  /** `$JS.API.CONSUMER.MSG.NEXT.<stream>.<consumer>` */
  readonly pullSubject: string;
  readonly maxInFlight: number;
  readonly ackWaitMs: number;
  /** The server says this often that a waiting pull is alive. */
  readonly heartbeatMs: number;
  readonly handler: (delivery: StepDelivery) => void;
  readonly onTrouble: (trouble: BusTrouble) => void;
}

const ANSWER_PAUSE_MS = 3;
const PULL_EXPIRES_MS = 30_000;
/** A server that does not answer must not hold up the end of the process. */
const CLOSE_WAIT_MS = 1_000;

/**
 * Fetches the steps of a pool. It speaks the pull protocol itself because the client's `consume` fetches ahead without
 * regard to acknowledgements (what a killed process had fetched ahead would lie until the acknowledgement time is over)
 * and, when its consumer vanishes, waits tens of seconds before it looks again.
 *
 * Invariants: (1) asked for and not yet arrived + handed out and not settled <= maxInFlight; (2) whenever there is room, a
 * pull is waiting at the server, or the wish to repair is; (3) pulls of an earlier generation can add deliveries, which are
 * given back when there is no room, but never change the count.
 */
export class StepPullConsumer implements DeliveryDesk {
  private readonly inFlight: InFlight<NatsStepDelivery>;
  private subscription: Subscription | undefined;
  private inbox = '';
  private generation = 0;
  private requested = 0;
  private restarting = false;
  private fruitless = 0;
  private heardAt = 0;
  private readonly answers: [reply: string, body: Uint8Array][] = [];
  private arrivals = 0;
  private arrivalsAtLastLook = 0;
  private suspicions = 0;
  private closed = false;
  private readonly detach: (() => void)[];
  private readonly watchdog: NodeJS.Timeout;

  constructor(private readonly options: StepPullOptions) {
    this.inFlight = new InFlight(options.ackWaitMs, () => performance.now());
    this.detach = [options.link.onUp((connection, reason) => this.attach(connection, reason)), options.link.onDown(() => this.forgetPulls())];
    this.watchdog = setInterval(() => this.look(), options.heartbeatMs);
    this.watchdog.unref();
  }

  settle(delivery: NatsStepDelivery): void {
    if (this.inFlight.settle(delivery)) this.pull();
  }

  /** Nobody waits for an answer, and each packet wakes the server: those of a few milliseconds leave together. */
  answer(reply: string, body: Uint8Array): void {
    this.answers.push([reply, body]);
    if (this.answers.length === 1) afterDelay(ANSWER_PAUSE_MS, () => this.sendAnswers());
  }

  /** What is on its way at this moment is given back at once. */
  async close(): Promise<void> {
    if (this.closed) return;
    this.closed = true;
    clearInterval(this.watchdog);
    for (const detach of this.detach) detach();
    this.options.pool.close();
    this.sendAnswers();
    if (this.options.link.isUp()) await Promise.race([this.subscription?.drain(), sleep(CLOSE_WAIT_MS, undefined, { ref: false })]);
    this.sendAnswers();
  }

  private sendAnswers(): void {
    const connection = this.options.link.current();
    for (const [reply, body] of this.answers.splice(0)) connection?.publish(reply, body); // when it is down the step comes again
  }

  private attach(connection: NatsConnection, reason: 'new connection' | 'reconnected'): void {
    if (reason === 'new connection') {
      this.inbox = createInbox();
      this.subscription = connection.subscribe(`${this.inbox}.*`, { callback: (error, message) => this.receive(error, message) });
    }
    void this.restart(0);
  }

  /** A new generation: whatever the server knows of our pulls is forgotten on both sides. */
  private async restart(delayMs: number): Promise<void> {
    if (this.restarting || this.closed) return;
    this.restarting = true;
    this.forgetPulls();
    if (delayMs > 0) await new Promise<void>((resolve) => afterDelay(delayMs, resolve));
    await this.options.pool.mend();
    this.restarting = false;
    this.heardAt = performance.now();
    this.pull();
  }

  private forgetPulls(): void {
    this.generation += 1;
    this.requested = 0;
  }

  /** Small refills are put off until they are worth a message. */
  private pull(): void {
    const connection = this.options.link.current();
    if (connection === undefined || this.restarting || this.closed) return;
    const { maxInFlight, heartbeatMs, pullSubject } = this.options;
    const room = maxInFlight - this.inFlight.size - this.requested;
    if (room <= 0 || (this.requested > 0 && room < maxInFlight / 4)) return;
    if (this.requested === 0) this.heardAt = performance.now();
    this.requested += room;
    const request = { batch: room, expires: nanos(PULL_EXPIRES_MS), idle_heartbeat: nanos(heartbeatMs) };
    connection.publish(pullSubject, JSON.stringify(request), { reply: `${this.inbox}.${this.generation}` });
  }

  private receive(error: Error | null, message: Msg): void {
    if (error !== null) return this.abnormal(error.message);
    this.heardAt = performance.now();
    if (message.subject.startsWith(this.inbox)) return this.status(message);
    this.fruitless = 0;
    this.arrivals += 1;
    if (this.requested > 0) this.requested -= 1;
    const delivery = new NatsStepDelivery(message, this);
    if (this.closed || this.inFlight.size >= this.options.maxInFlight) return delivery.retryLater(1);
    this.inFlight.add(delivery);
    this.options.handler(delivery);
    this.pull();
  }

  /** 100 heartbeat; 404, 408: a pull is over; 409: consumer deleted, leader gone and the like; 503: nobody there. */
  private status(message: Msg): void {
    const code = message.headers?.code ?? 0;
    if (code === 100 || message.subject !== `${this.inbox}.${this.generation}`) return;
    if (code === 404 || code === 408) {
      const left = Number(message.headers?.get('Nats-Pending-Messages') ?? 0);
      this.requested = Math.max(this.requested - left, 0);
      this.pull();
    } else this.abnormal(`${code} ${message.headers?.description ?? ''}`);
  }

  private abnormal(what: string): void {
    if (this.closed || this.restarting) return;
    this.options.onTrouble({ code: 'CONSUMER_RESTARTED', message: `${this.options.pullSubject}: ${what}` });
    this.fruitless += 1;
    void this.restart(this.fruitless > 1 ? jitteredDelayMs(this.fruitless) : 0);
  }

  /** The watchdog: frees places whose delivery the server counts as lost, and notices a pull the server forgot. */
  private look(): void {
    this.inFlight.takeOverdue();
    const connection = this.options.link.current();
    const silentMs = performance.now() - this.heardAt;
    if (connection !== undefined && this.requested > 0 && silentMs > this.options.heartbeatMs * 2.5) return this.abnormal('no heartbeat');
    this.pull();
    const quiet = this.requested > 0 && this.arrivals === this.arrivalsAtLastLook;
    this.arrivalsAtLastLook = this.arrivals;
    if (!quiet) this.suspicions = 0;
    else if (connection !== undefined && !this.restarting) void this.examine(connection);
  }

  /**
   * A consumer can be alive and useless: its heart beats, steps wait, and none is delivered (seen with 2.9 after its stream
   * was deleted and created at the same moment). Seen twice in a row, it is made anew.
   */
  private async examine(connection: NatsConnection): Promise<void> {
    const stalled = await this.options.hasUndelivered(connection).catch(() => false); // no answer: the heartbeat will tell
    this.suspicions = stalled && this.arrivals === this.arrivalsAtLastLook ? this.suspicions + 1 : 0;
    if (this.suspicions < 2) return;
    this.suspicions = 0;
    await this.options.remove(connection).catch(() => undefined); // gone already is as good
    this.abnormal('steps wait and none is delivered');
  }
}
