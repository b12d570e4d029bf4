import { createInbox, type Msg, type NatsConnection, type Subscription } from '@nats-io/transport-node';
import { BusUnavailable } from '../bus.port';
import type { BusTrouble, NatsLink } from './nats-link';
import { isTooLarge, tooLarge } from './payload-limit';
import { readPublishAnswer } from './publish-answer';
import type { Repair } from './repair';
import { afterDelay, jitteredDelayMs } from './retry-timer';

interface Pending {
  readonly subject: string;
  readonly payload: string;
  attempts: number;
  sentAt: number;
}

/** Enough for a planner's burst, and well under the queue at which newer servers begin to refuse. */
const PENDING_MAX = 2_000;
const ACK_TIMEOUT_MS = 3_000;
const ATTEMPTS_MAX = 5;
/** Newer servers (seen with 2.15) say nothing at all when a stream cannot write: after so much silence it counts as failed. */
const SILENT_SWEEPS_MAX = 2;
const DONE = Promise.resolve();

/**
 * Puts step commands on the work queue. A publish does not wait for the server's acknowledgement (that would cost a disk
 * write of latency per step): the message is remembered until it is acknowledged, and sent again when the answer is an
 * error, does not come, or the connection broke. Too many unanswered ones make the caller wait.
 */
export class StepPublisher {
  private readonly pending = new Map<string, Pending>();
  private readonly waitingForRoom: (() => void)[] = [];
  private inbox = '';
  private subscription: Subscription | undefined;
  private sequence = 0;
  /** The stream was seen on this connection. */
  private ready = false;
  private cancelSweep: (() => void) | undefined;
  /** When the server last answered, or was connected to. */
  private heardAt = 0;
  private silentSweeps = 0;

  constructor(
    private readonly link: NatsLink,
    private readonly streams: Repair,
    private readonly onStoreFailed: () => void,
    private readonly onTrouble: (trouble: BusTrouble) => void,
  ) {
    link.onUp((connection, reason) => this.attach(connection, reason));
    link.onDown(() => this.refuseWaiting());
  }

  publish(subject: string, payload: string): Promise<void> {
    const connection = this.link.require();
    if (isTooLarge(connection, payload)) return Promise.reject(tooLarge(connection, `A step for ${subject}`, payload));
    if (this.pending.size < PENDING_MAX) {
      this.send(connection, { subject, payload, attempts: 0, sentAt: 0 });
      return DONE;
    }
    return new Promise((resolve, reject) => {
      this.waitingForRoom.push(() => {
        const present = this.link.current();
        if (present === undefined) return reject(new BusUnavailable('BUS_DISCONNECTED', 'NATS is not connected.'));
        this.send(present, { subject, payload, attempts: 0, sentAt: 0 });
        resolve();
      });
    });
  }

  close(): void {
    this.cancelSweep?.();
    this.subscription?.unsubscribe();
    this.pending.clear();
    this.refuseWaiting();
  }

  private attach(connection: NatsConnection, reason: 'new connection' | 'reconnected'): void {
    if (reason === 'new connection') {
      this.inbox = `${createInbox()}.`;
      this.subscription = connection.subscribe(`${this.inbox}*`, { callback: (_error, message) => this.answered(message) });
    }
    this.ready = false;
    this.heardAt = performance.now();
    // whether the pending ones arrived before the connection broke, nobody knows; a doubled step is harmless
    void this.streams.mend().then(() => {
      if (this.link.current() !== connection) return;
      this.ready = true;
      this.resend([...this.pending.keys()]);
    });
  }

  private send(connection: NatsConnection, message: Pending): void {
    this.sequence += 1;
    const token = String(this.sequence);
    this.pending.set(token, message);
    message.sentAt = performance.now();
    if (!this.ready) return; // sent in its turn, as soon as the stream is there
    message.attempts += 1;
    connection.publish(message.subject, message.payload, { reply: this.inbox + token });
    this.cancelSweep ??= afterDelay(ACK_TIMEOUT_MS / 2, () => this.sweep());
  }

  private answered(message: Msg): void {
    const token = message.subject.slice(this.inbox.length);
    const answer = readPublishAnswer(message);
    const step = this.pending.get(token);
    this.heardAt = performance.now();
    if (answer.status === 'stored' || step === undefined) {
      this.pending.delete(token);
      this.makeRoom();
      return;
    }
    if (answer.storeFailed) this.onStoreFailed();
    const pauseMs = step.attempts > 1 ? jitteredDelayMs(step.attempts) : 0;
    void this.streams.mend().then(() => afterDelay(pauseMs, () => this.resend([token])));
  }

  private sweep(): void {
    this.cancelSweep = undefined;
    const before = performance.now() - ACK_TIMEOUT_MS;
    const late: string[] = [];
    for (const [token, { sentAt }] of this.pending) {
      if (sentAt > before) break; // in the order of sending
      late.push(token);
    }
    if (late.length > 0) this.remind(late, before);
    if (this.pending.size > 0) this.cancelSweep = afterDelay(ACK_TIMEOUT_MS / 2, () => this.sweep());
  }

  private remind(late: readonly string[], before: number): void {
    const isSilent = this.ready && this.link.isUp() && this.heardAt < before;
    this.silentSweeps = isSilent ? this.silentSweeps + 1 : 0;
    if (this.silentSweeps >= SILENT_SWEEPS_MAX) {
      this.silentSweeps = 0;
      this.onStoreFailed();
    }
    void this.streams.mend().then(() => this.resend(late));
  }

  private resend(tokens: readonly string[]): void {
    const connection = this.link.current();
    if (connection === undefined || !this.ready) return; // they wait for the next connection
    for (const token of tokens) {
      const message = this.pending.get(token);
      this.pending.delete(token);
      if (message === undefined) continue;
      if (message.attempts < ATTEMPTS_MAX && !isTooLarge(connection, message.payload)) this.send(connection, message);
      else this.onTrouble({ code: 'STEP_LOST', message: `A step for ${message.subject} could not be stored.` });
    }
    this.makeRoom();
  }

  private refuseWaiting(): void {
    for (const start of this.waitingForRoom.splice(0)) start(); // the link is down: each rejects
  }

  private makeRoom(): void {
    while (this.waitingForRoom.length > 0 && this.pending.size < PENDING_MAX) this.waitingForRoom.shift()?.();
  }
}
