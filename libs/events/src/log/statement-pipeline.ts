import type { Client, Connection, Submittable } from 'pg';
import { RowsQuery, type Statement, type TextRow } from './rows-query';

/** What `pg`'s client has and its typings lack. */
interface PipelinedClient {
  readonly connection: Connection;
  query(query: Submittable): void;
}

/**
 * Statements that leave at once, though the one before is not answered yet: the server goes from one to the next without
 * a pause. Each is a transaction of its own. `pg` is told of one at a time, because that is all its clients know of: the
 * next one, which has left already, as soon as one is answered.
 */
export class StatementPipeline {
  private readonly client: PipelinedClient;
  private readonly sent: RowsQuery[] = [];

  /** Nobody else uses the client. */
  constructor(client: Client) {
    this.client = client as unknown as PipelinedClient;
  }

  /** Rejects with what the server, or the lost connection, says. */
  query(statement: Statement): Promise<readonly TextRow[]> {
    return new Promise((resolve, reject) => {
      const query = new RowsQuery(statement, (error, rows) => {
        this.sent.shift();
        if (this.sent[0] !== undefined) this.client.query(this.sent[0]);
        if (error) reject(error);
        else resolve(rows);
      });
      this.sent.push(query);
      if (this.sent.length === 1) this.client.query(query); // which waits where the answer before was an error
      query.submit(this.client.connection);
    });
  }
}
