import { setTimeout as sleep } from 'node:timers/promises';
import type { NatsConnection } from '@nats-io/transport-node';
import type { BusTrouble, NatsLink } from './nats-link';
import { jitteredDelayMs } from './retry-timer';

/**
 * Makes something on the server whole again, once at a time however many ask, and goes on trying until it works, the
 * connection goes down (the next one starts anew), or it is closed. Never rejects.
 */
export class Repair {
  private running: Promise<void> | undefined;
  private closed = false;
  private wake: (() => void) | undefined;
  private readonly detach: () => void;

  constructor(
    private readonly link: NatsLink,
    private readonly ensure: (connection: NatsConnection) => Promise<void>,
    private readonly onTrouble: (trouble: BusTrouble) => void,
  ) {
    this.detach = link.onDown(() => this.wake?.());
  }

  mend(): Promise<void> {
    this.running ??= this.untilDone().finally(() => {
      this.running = undefined;
    });
    return this.running;
  }

  close(): void {
    this.closed = true;
    this.detach();
    this.wake?.();
  }

  private async untilDone(): Promise<void> {
    for (let failures = 1; !this.closed; failures += 1) {
      const connection = this.link.current();
      if (connection === undefined) return;
      try {
        // an answer that was on its way over a broken connection would be waited for in vain
        return await Promise.race([this.ensure(connection), this.woken()]);
      } catch (cause) {
        if (!this.closed) this.onTrouble({ code: 'SETUP_FAILED', message: 'JetStream refused a stream or consumer.', cause });
        await Promise.race([sleep(jitteredDelayMs(failures), undefined, { ref: false }), this.woken()]);
      }
    }
  }

  private woken(): Promise<void> {
    return new Promise((resolve) => {
      this.wake = resolve;
    });
  }
}
