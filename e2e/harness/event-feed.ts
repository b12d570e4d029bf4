/** A client of a run's live events that can be asked for the next one. */
export class EventFeed {
  private buffer = '';

  private constructor(
    private readonly reader: ReadableStreamDefaultReader<Uint8Array>,
    private readonly abort: AbortController,
  ) {}

  /** `after`: the id of the last event that the client has. */
  static async open(url: string, run: string, after?: string): Promise<EventFeed> {
    const abort = new AbortController();
    const headers = { accept: 'text/event-stream', ...(after !== undefined && { 'last-event-id': after }) };
    const { body, status } = await fetch(`${url}/orchestrator/runs/${run}/events`, { headers, signal: abort.signal });
    if (body === null || status !== 200) throw new Error(`no live events: ${status}`);
    return new EventFeed(body.getReader(), abort);
  }

  /** Rejects when the stream breaks. */
  async next(): Promise<FeedEvent> {
    for (;;) {
      const end = this.buffer.indexOf('\n\n');
      const fields = end < 0 ? undefined : this.buffer.slice(0, end).split('\n');
      if (fields === undefined) {
        await this.more();
        continue;
      }
      this.buffer = this.buffer.slice(end + 2);
      const field = (name: string): string => fields.find((line) => line.startsWith(`${name}: `))?.slice(name.length + 2) ?? '';
      if (field('id') !== '') return { id: field('id'), type: field('event') }; // anything else keeps the connection alive
    }
  }

  /** Everything up to the first event of this type. */
  async until(type: string): Promise<FeedEvent[]> {
    const events: FeedEvent[] = [];
    do events.push(await this.next());
    while (events.at(-1)?.type !== type);
    return events;
  }

  close(): void {
    this.abort.abort();
    this.reader.cancel().catch(() => undefined); // the abort has ended it
  }

  private async more(): Promise<void> {
    const { value, done } = await this.reader.read();
    if (done) throw new Error('the stream ended');
    this.buffer += Buffer.from(value).toString('utf8');
  }
}

export interface FeedEvent {
  readonly id: string;
  readonly type: string;
}
