import { isNativeError } from 'node:util/types';
import { AuthorizationError, connect, UserAuthenticationExpiredError, type NatsConnection, type NodeConnectionOptions } from '@nats-io/transport-node';
import { BusUnavailable } from '../bus.port';
import { credentialsIn, credentialsInFile, withoutCredentials } from './nats-credentials';
import { afterDelay, jitteredDelayMs } from './retry-timer';

export interface NatsLinkOptions {
  readonly servers: string | readonly string[];
  /** Shown by the server in its list of connections. */
  readonly name: string;
  /** Path of a `.creds` file; else credentials are looked for in the URLs. */
  readonly credentialsFile?: string;
  readonly onTrouble: (trouble: BusTrouble) => void;
}

/** For the log of the process; the bus goes on by itself. */
export interface BusTrouble {
  readonly code: 'CONNECT_FAILED' | 'DISCONNECTED' | 'SERVER_ERROR' | 'SETUP_FAILED' | 'SETTINGS_DIFFER' | 'STREAM_REMADE' | 'STEP_LOST' | 'CONSUMER_RESTARTED';
  readonly message: string;
  readonly cause?: unknown;
}

/** What must be done with each connection that comes up: subscribe, create streams. Runs again after every reconnect. */
export type OnUp = (connection: NatsConnection, reason: 'new connection' | 'reconnected') => void;

/**
 * One connection that is always wished for. Invariants: (1) it never gives up, neither before the first connect nor after
 * the library closed the connection; (2) after
 * `close` nothing is left running.
 */
export class NatsLink {
  private connection: NatsConnection | undefined;
  private up = false;
  private closed = false;
  private failures = 0;
  private cancelRetry: (() => void) | undefined;
  private readonly upListeners = new Set<OnUp>();
  private readonly downListeners = new Set<() => void>();

  constructor(private readonly options: NatsLinkOptions) {
    void this.connectOnce();
  }

  isUp(): boolean {
    return this.up;
  }

  /** The connection, or `BusUnavailable` at once: nothing waits for a server that is not there. */
  require(): NatsConnection {
    if (this.up && this.connection !== undefined) return this.connection;
    throw new BusUnavailable('BUS_DISCONNECTED', this.closed ? 'The bus is closed.' : 'NATS is not connected.');
  }

  current(): NatsConnection | undefined {
    return this.up ? this.connection : undefined;
  }

  /** Called at once when the link is up already. */
  onUp(listener: OnUp): () => void {
    this.upListeners.add(listener);
    if (this.up && this.connection !== undefined) listener(this.connection, 'new connection');
    return () => this.upListeners.delete(listener);
  }

  onDown(listener: () => void): () => void {
    this.downListeners.add(listener);
    return () => this.downListeners.delete(listener);
  }

  async close(): Promise<void> {
    this.closed = true;
    this.cancelRetry?.();
    this.goDown();
    await this.connection?.close();
  }

  private async connectOnce(): Promise<void> {
    try {
      const connection = await connect(this.connectOptions());
      if (this.closed) return await connection.close();
      this.failures = 0;
      this.connection = connection;
      this.goUp('new connection');
      void this.watch(connection);
      await connection.closed();
      this.goDown();
    } catch (cause) {
      this.options.onTrouble({ code: 'CONNECT_FAILED', message: this.explain(cause), cause });
    }
    if (this.closed) return;
    this.failures += 1;
    this.cancelRetry = afterDelay(jitteredDelayMs(this.failures), () => void this.connectOnce());
  }

  private get servers(): readonly string[] {
    const { servers } = this.options;
    return typeof servers === 'string' ? [servers] : servers;
  }

  private explain(cause: unknown): string {
    const where = this.servers.map(withoutCredentials).join(', ');
    if (cause instanceof AuthorizationError || cause instanceof UserAuthenticationExpiredError) return `NATS at ${where} refuses the credentials.`;
    return `NATS is not reachable yet at ${where}${isNativeError(cause) && cause.message !== '' ? `: ${cause.message}` : ''}.`;
  }

  private connectOptions(): NodeConnectionOptions {
    const { name, credentialsFile } = this.options;
    return {
      timeout: 5_000,
      pingInterval: 10_000,
      maxPingOut: 2,
      noAsyncTraces: true, // a stack per request costs more than the request
      ...(credentialsFile === undefined ? credentialsIn(this.servers) : credentialsInFile(credentialsFile)),
      servers: this.servers.map(withoutCredentials),
      name,
      reconnect: true,
      maxReconnectAttempts: -1,
      ignoreAuthErrorAbort: true,
      reconnectDelayHandler: () => jitteredDelayMs(1),
    };
  }

  private async watch(connection: NatsConnection): Promise<void> {
    for await (const status of connection.status()) {
      if (this.closed) return;
      if (status.type === 'disconnect') {
        this.goDown();
        this.options.onTrouble({ code: 'DISCONNECTED', message: `Connection to ${status.server} lost.` });
      } else if (status.type === 'reconnect') this.goUp('reconnected');
      else if (status.type === 'error') {
        this.options.onTrouble({ code: 'SERVER_ERROR', message: status.error.message, cause: status.error });
      }
    }
  }

  private goUp(reason: 'new connection' | 'reconnected'): void {
    const { connection } = this;
    if (this.closed || connection === undefined) return;
    this.up = true;
    for (const listener of this.upListeners) listener(connection, reason);
  }

  private goDown(): void {
    if (!this.up) return;
    this.up = false;
    for (const listener of this.downListeners) listener();
  }
}
