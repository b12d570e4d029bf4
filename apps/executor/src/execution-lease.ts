import type { Bus, Membership } from '@foldwork/events';

export interface ExecutionLeaseOptions {
  readonly membership: Membership;
  readonly bus: Bus;
  readonly name: string;
  readonly leaseMs: number;
  readonly onTrouble: (error: unknown) => void;
  /** The lease is over: every attempt under it must end now, its work belongs to others. */
  readonly onLost: () => void;
}

/**
 * The executor's right to hold attempts: one row in Postgres, one heartbeat for all of them. Invariant: when the lease
 * cannot be renewed, `onLost` is called before it runs out for the others, so that two executors never hold an attempt.
 */
export class ExecutionLease {
  private incarnation = 0;
  private beat: NodeJS.Timeout | undefined;
  private deadline: NodeJS.Timeout | undefined;
  private renewing: Promise<void> = Promise.resolve();

  constructor(private readonly options: ExecutionLeaseOptions) {}

  /** `name#incarnation`, as attempts carry it. */
  get holder(): string {
    return `${this.options.name}#${this.incarnation}`;
  }

  /** Takes the name over; whatever its predecessor held is given up at once. */
  async start(): Promise<void> {
    await this.join();
    this.beat = setInterval(() => {
      this.renewing = this.renew().catch(this.options.onTrouble);
    }, Math.floor(this.options.leaseMs / 4));
  }

  async stop(): Promise<void> {
    clearInterval(this.beat);
    clearTimeout(this.deadline);
    await this.renewing;
    await this.options.membership.leave(this.options.name, this.incarnation).catch(this.options.onTrouble);
    this.options.bus.hint('executors', this.holder);
  }

  private async join(): Promise<void> {
    const { membership, bus, name, leaseMs } = this.options;
    const askedAt = performance.now();
    this.incarnation = await membership.join(name, leaseMs);
    this.extend(askedAt);
    bus.hint('executors', this.holder);
  }

  private async renew(): Promise<void> {
    const { membership, name, leaseMs, onLost } = this.options;
    const askedAt = performance.now();
    if (await membership.renew(name, this.incarnation, leaseMs)) return this.extend(askedAt);
    onLost();
    await this.join();
  }

  /** Counted from before the question, so that our end of the lease is never later than the database's. */
  private extend(askedAt: number): void {
    clearTimeout(this.deadline);
    const leftMs = askedAt + this.options.leaseMs * SAFE_SHARE - performance.now();
    this.deadline = setTimeout(this.options.onLost, Math.max(0, leftMs));
  }
}

/** Attempts end this much before the lease does. */
const SAFE_SHARE = 0.9;
