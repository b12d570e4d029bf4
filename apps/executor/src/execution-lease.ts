import type { Bus, Membership, Subscription } from '@foldwork/events';
import { Clock } from '@foldwork/platform';

export interface ExecutionLeaseOptions {
  readonly membership: Membership;
  readonly bus: Bus;
  readonly name: string;
  readonly leaseMs: number;
  readonly onTrouble: (error: unknown) => void;
  /** The lease is over: every attempt under it must end now, its work belongs to others. */
  readonly onLost: () => void;
  /** Another process runs under the name; this one goes on under the other. */
  readonly onNameTaken: (name: string, goesOnAs: string) => void;
}

/** Attempts end this much before the lease does. */
const SAFE_SHARE = 0.9;

/**
 * The executor's right to hold attempts: one row in Postgres, one heartbeat for all of them. Invariants:
 *  1. when the lease cannot be renewed, `onLost` is called before it runs out for the others, so that two executors never
 *     hold an attempt. A process that was kept from running its timers (by an action, by a stop of the machine) is late
 *     with that, but begins nothing. What it gave up it never takes up again, even if it could: among it may be claims
 *     whose answers were lost, and nobody works on those;
 *  2. of two processes under one name the later one has it; the other takes a name of its own, or they would take it from
 *     each other for ever.
 */
export class ExecutionLease {
  private name: string;
  private incarnation = 0;
  /** By the monotonic clock, a little before the lease does for the others. */
  private endsAt = -Infinity;
  private beat: Clock | undefined;
  private deadline: NodeJS.Timeout | undefined;
  private hints: Subscription | undefined;

  constructor(private readonly options: ExecutionLeaseOptions) {
    this.name = options.name;
  }

  /** `name#incarnation`, as attempts carry it. */
  get holder(): string {
    return `${this.name}#${this.incarnation}`;
  }

  get isHeld(): boolean {
    return performance.now() < this.endsAt;
  }

  /** Whether what was claimed by this holder is still ours. */
  holds(holder: string): boolean {
    return this.isHeld && holder === this.holder;
  }

  /** Takes the name over; whatever its predecessor held is given up at once. */
  async start(): Promise<void> {
    const { bus, leaseMs, onTrouble } = this.options;
    await this.join();
    this.hints = bus.onHint('executors', (holder) => this.hear(holder));
    this.beat = new Clock(Math.floor(leaseMs / 4), () => this.renew(), onTrouble);
  }

  async stop(): Promise<void> {
    await this.hints?.close();
    await this.beat?.stop();
    clearTimeout(this.deadline);
    this.endsAt = -Infinity;
    await this.options.membership.leave(this.name, this.incarnation).catch(this.options.onTrouble);
    this.options.bus.hint('executors', this.holder);
  }

  private async join(): Promise<void> {
    const { membership, bus, leaseMs } = this.options;
    const askedAt = performance.now();
    this.incarnation = await membership.join(this.name, leaseMs);
    this.extend(askedAt);
    bus.hint('executors', this.holder);
  }

  private async renew(): Promise<void> {
    const { membership, leaseMs } = this.options;
    const askedAt = performance.now();
    const isRenewed = await membership.renew(this.name, this.incarnation, leaseMs);
    if (isRenewed && this.isHeld) return this.extend(askedAt);
    this.lose();
    if (await this.isNameTaken()) this.rename();
    await this.join();
  }

  /** Another process that takes the name says so: ours is over long before the next renewal. */
  private hear(holder: string): void {
    if (holder.startsWith(`${this.name}#`) && Number(holder.slice(this.name.length + 1)) > this.incarnation) this.lose();
  }

  private async isNameTaken(): Promise<boolean> {
    const members = await this.options.membership.list();
    return members.some(({ name, incarnation }) => name === this.name && incarnation > this.incarnation);
  }

  private rename(): void {
    const taken = this.name;
    this.name = `${taken}.${this.incarnation}`; // an incarnation is given out once
    this.options.onNameTaken(taken, this.name);
  }

  private lose(): void {
    clearTimeout(this.deadline);
    this.endsAt = -Infinity;
    this.options.onLost();
  }

  /** Counted from before the question, so that our end of the lease is never later than the database's. */
  private extend(askedAt: number): void {
    clearTimeout(this.deadline);
    this.endsAt = askedAt + this.options.leaseMs * SAFE_SHARE;
    if (!this.isHeld) return this.lose();
    this.deadline = setTimeout(() => this.lose(), this.endsAt - performance.now());
  }
}
