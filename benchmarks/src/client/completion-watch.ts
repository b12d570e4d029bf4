import { Client } from 'pg';
import { parseJson, type Bus, type DecideHint, type RunId, type Subscription } from '@foldwork/events';

export interface EndedRun {
  /** When this client knew it: `performance.now()`. */
  readonly knownAt: number;
}

const POLL_MS = 100;
/**
 * All in one snapshot, so a position that is passed was looked at. The fence (`OFFSET 0`) and the settings of the
 * connection keep it on the index of positions, whatever the table's statistics say.
 */
const LOOK = `SELECT (SELECT position FROM events ORDER BY position DESC LIMIT 1) AS head,
  (SELECT array_agg(run_id || ' ' || type) FROM (SELECT run_id, type, task FROM events WHERE position > $1 ORDER BY position OFFSET 0) AS e
   WHERE task = '' AND type = ANY($2)) AS ended`;
const SESSION = '-c enable_seqscan=off -c enable_bitmapscan=off -c enable_sort=off -c jit=off';
const ENDS = ['RunCompleted', 'RunFailed', 'RunCanceled'];

/**
 * A client that wants to know when its runs end: it listens to what is said on the bus after a commit, and where that does
 * not name events, which is so under load, it reads the log over a connection of its own. It shares the two cores: a look
 * after each step costs a run of ten steps 2.4 ms. So it does not look before a run can have ended (`expect`), nor more
 * often than every `paceMs` with thousands under way.
 */
export class CompletionWatch {
  private readonly ended = new Map<RunId, EndedRun>();
  private readonly waiting = new Map<RunId, PromiseWithResolvers<EndedRun>>();
  private readonly poll: NodeJS.Timeout;
  private position = 0;
  private looking: Promise<void> | undefined;
  private again = false;
  private closed = false;
  private paceMs = 0;
  private eventsPerRun = 0;
  /** Nothing can have ended before the log is this long. */
  private nextEndAt = 0;

  private constructor(private readonly client: Client, bus: Bus) {
    this.subscriptions = [bus.onHint('decide', (payload) => this.hear(payload)), bus.onHint('log', (position) => this.grown(Number(position)))];
    this.poll = setInterval(() => this.wake(), POLL_MS);
  }
  private readonly subscriptions: readonly Subscription[];

  static async open(databaseUrl: string, bus: Bus): Promise<CompletionWatch> {
    const client = new Client({ connectionString: databaseUrl, application_name: 'bench-watch', options: SESSION });
    await client.connect();
    const watch = new CompletionWatch(client, bus);
    await watch.look();
    return watch;
  }

  setPace(paceMs: number): void {
    this.paceMs = paceMs;
  }

  /** From this position on only runs write, each of them so many events. Both 0: nothing is known. */
  expect(from: number, eventsPerRun: number): void {
    this.eventsPerRun = eventsPerRun;
    this.nextEndAt = from + eventsPerRun;
  }

  /** Resolves when the run has completed; rejects when it ended otherwise. */
  async completed(runId: RunId): Promise<EndedRun> {
    const known = this.ended.get(runId);
    if (known !== undefined) return known;
    const waiting = this.waiting.get(runId) ?? Promise.withResolvers<EndedRun>();
    this.waiting.set(runId, waiting);
    return waiting.promise;
  }

  async close(): Promise<void> {
    this.closed = true;
    clearInterval(this.poll);
    await Promise.all(this.subscriptions.map((subscription) => subscription.close()));
    await this.looking;
    await this.client.end();
  }

  private hear(payload: string): void {
    const knownAt = performance.now();
    const { events } = parseJson(payload) as unknown as DecideHint; // made by a service
    for (const { runId, type, task } of events) if (task === '' && ENDS.includes(type)) this.settle(runId, type, knownAt);
  }

  private grown(position: number): void {
    if (position >= this.nextEndAt) this.wake();
  }

  private wake(): void {
    if (this.closed) return;
    this.again = true;
    this.looking ??= this.lookOn();
  }

  private async lookOn(): Promise<void> {
    do {
      this.again = false;
      await this.look();
      if (this.paceMs > 0) await new Promise((resolve) => setTimeout(resolve, this.paceMs));
    } while (this.again && !this.closed);
    this.looking = undefined; // in the same turn as the question above: no wake is lost in between
  }

  private async look(): Promise<void> {
    if (this.closed) return;
    const { rows } = await this.client.query<{ head: string | null; ended: string[] | null }>({ name: 'look', text: LOOK, values: [this.position, ENDS] });
    this.position = Number(rows[0]?.head ?? 0);
    const knownAt = performance.now();
    for (const line of rows[0]?.ended ?? []) {
      const [runId, type] = line.split(' ') as [RunId, string]; // as the query puts it together
      this.settle(runId, type, knownAt);
    }
  }

  private settle(runId: RunId, type: string, knownAt: number): void {
    if (this.ended.has(runId)) return;
    this.ended.set(runId, { knownAt });
    this.nextEndAt += this.eventsPerRun;
    const waiting = this.waiting.get(runId);
    this.waiting.delete(runId);
    if (type === 'RunCompleted') waiting?.resolve({ knownAt });
    else waiting?.reject(new Error(`run ${runId} ended with ${type}`));
  }
}
