import { type CustomTransportStrategy, Server } from '@nestjs/microservices';
import type { Bus, Subscription } from '@foldwork/events';

/** There is a hint per commit; handlers hear of as many as this at once. */
const GATHER_MS = 2;

/** Brings the bus's hints that the log has grown to `@EventPattern('log')`. */
export class HintTransport extends Server implements CustomTransportStrategy {
  private subscription: Subscription | undefined;
  private timer: NodeJS.Timeout | undefined;

  constructor(private readonly bus: Pick<Bus, 'onHint'>) {
    super();
  }

  listen(ready: () => void): void {
    this.subscription = this.bus.onHint('log', (payload) => {
      this.timer ??= setTimeout(() => this.deliver(payload), GATHER_MS);
    });
    ready();
  }

  async close(): Promise<void> {
    clearTimeout(this.timer);
    await this.subscription?.close();
  }

  override on(): void {
    // The bus reports its own state; this transport has no events.
  }

  override unwrap<T>(): T {
    throw new Error('the hint transport has no server of its own');
  }

  private deliver(payload: string): void {
    this.timer = undefined;
    void this.getHandlerByPattern('log')?.(payload);
  }
}
