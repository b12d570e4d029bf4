import { Client, type ClientConfig } from 'pg';
import { breakWhenSilent } from './break-when-silent';
import { toLogUnavailable } from './postgres-failure';
import type { Statement } from './rows-query';
import { StatementPipeline } from './statement-pipeline';

interface Connected {
  readonly client: Client;
  readonly pipeline: StatementPipeline;
}

/**
 * The one connection of the appender. Connects on first use and again after `reset`. A connection that breaks while idle
 * is replaced without a word: the next statement tells.
 */
export class AppendConnection {
  private current: Promise<Connected> | undefined;

  /** `silenceMs`: how long an answer may take. */
  constructor(
    private readonly settings: ClientConfig,
    private readonly silenceMs: number,
    private readonly onError: (error: unknown) => void,
  ) {}

  /**
   * The single value of the single row; `undefined`: no row. The statement is made when it can leave, and has left before
   * the next one is made. One that is not answered yet does not keep the next one from leaving.
   */
  async queryValue(statement: () => Statement): Promise<string | null | undefined> {
    const { pipeline } = await this.connected();
    const [row] = await pipeline.query(statement());
    return row?.[0];
  }

  /** Drops the connection; the next query opens a fresh one. */
  reset(): void {
    const dropped = this.current;
    this.current = undefined;
    dropped?.then(({ client }) => client.end()).catch(this.onError);
  }

  async close(): Promise<void> {
    const connected = await this.current?.catch(() => undefined);
    this.current = undefined;
    await connected?.client.end();
  }

  private connected(): Promise<Connected> {
    this.current ??= this.connect();
    return this.current;
  }

  private async connect(): Promise<Connected> {
    const client = new Client(this.settings);
    client.on('error', (error) => {
      this.onError(error);
      this.reset();
    });
    try {
      await client.connect();
      breakWhenSilent(client, this.silenceMs);
      return { client, pipeline: new StatementPipeline(client) };
    } catch (error) {
      // Not to be taken for a refused payload: a role that does not exist is an error of class 22 too.
      throw toLogUnavailable(error);
    }
  }
}
