import { Client, type ClientConfig } from 'pg';
import { breakWhenSilent } from './break-when-silent';
import { toLogUnavailable } from './postgres-failure';
import { queryRows, type Statement } from './rows-query';

/**
 * The one connection of the appender. Connects on first use and again after `reset`. A connection that breaks while idle
 * is replaced without a word: the next statement tells.
 */
export class AppendConnection {
  private current: Promise<Client> | undefined;

  /** `silenceMs`: how long an answer may take. */
  constructor(
    private readonly settings: ClientConfig,
    private readonly silenceMs: number,
    private readonly onError: (error: unknown) => void,
  ) {}

  /** The single value of the single row; `undefined`: no row. */
  async queryValue(statement: Statement): Promise<string | null | undefined> {
    const [row] = await queryRows(await this.connected(), statement);
    return row?.[0];
  }

  /** Drops the connection; the next query opens a fresh one. */
  reset(): void {
    const dropped = this.current;
    this.current = undefined;
    dropped?.then((client) => client.end()).catch(this.onError);
  }

  async close(): Promise<void> {
    const client = await this.current?.catch(() => undefined);
    this.current = undefined;
    await client?.end();
  }

  private connected(): Promise<Client> {
    this.current ??= this.connect();
    return this.current;
  }

  private async connect(): Promise<Client> {
    const client = new Client(this.settings);
    client.on('error', (error) => {
      this.onError(error);
      this.reset();
    });
    try {
      await client.connect();
      breakWhenSilent(client, this.silenceMs);
      return client;
    } catch (error) {
      // Not to be taken for a refused payload: a role that does not exist is an error of class 22 too.
      throw toLogUnavailable(error);
    }
  }
}
