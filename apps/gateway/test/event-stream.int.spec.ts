import { connect } from 'node:net';
import { text } from 'node:stream/consumers';
import type { Definition } from '@foldwork/domain';
import { createPostgresEventLog, EmbeddedBus, newEvent, signalStream } from '@foldwork/events';
import { DEFINITION, GatewayFixture, submit } from './gateway-fixture';
import { RunScript } from './run-script';

let fixture: GatewayFixture;
beforeAll(async () => {
  fixture = await GatewayFixture.start();
});
afterAll(() => fixture.close());

interface Frame {
  readonly id: string;
  readonly event: string;
  readonly data: { readonly position: string; readonly type: string };
}

/** A client of the stream that can be asked for its next frame. */
class StreamClient {
  private buffer = '';
  private constructor(private readonly reader: ReadableStreamDefaultReader<Uint8Array>, private readonly abort: AbortController, readonly response: Response) {}

  static async open(path: string, headers: Record<string, string> = {}): Promise<StreamClient> {
    const abort = new AbortController();
    const response = await fetch(`${fixture.gateway.url}${path}`, {
      headers: { authorization: `Bearer ${fixture.keys.viewer}`, accept: 'text/event-stream', ...headers }, signal: abort.signal,
    });
    if (response.body === null) throw new Error('no body');
    return new StreamClient(response.body.getReader(), abort, response);
  }

  async next(): Promise<Frame> {
    for (;;) {
      const end = this.buffer.indexOf('\n\n');
      if (end < 0) {
        const { value, done } = await this.reader.read();
        if (done) throw new Error('the stream ended');
        this.buffer += Buffer.from(value).toString('utf8');
        continue;
      }
      const lines = this.buffer.slice(0, end).split('\n');
      this.buffer = this.buffer.slice(end + 2);
      const field = (name: string): string => lines.find((line) => line.startsWith(`${name}: `))?.slice(name.length + 2) ?? '';
      if (field('id') !== '') return { id: field('id'), event: field('event'), data: JSON.parse(field('data')) as Frame['data'] };
    }
  }

  async take(count: number): Promise<Frame[]> {
    const frames: Frame[] = [];
    while (frames.length < count) frames.push(await this.next());
    return frames;
  }

  close(): void {
    this.abort.abort();
    this.reader.cancel().catch(() => undefined); // the abort has ended it
  }
}

const startRun = async (): Promise<{ path: string; script: RunScript }> => {
  const { body } = await submit(fixture);
  return { path: `/orchestrator/runs/${body.runId}/events`, script: new RunScript(fixture, body.runId, DEFINITION as unknown as Definition) };
};

const begin = { transition: 'begin', from: 'pending', to: 'in_progress' } as const;
const complete = { transition: 'complete', from: 'in_progress', to: 'completed' } as const;

describe('GET /orchestrator/runs/{id}/events', () => {
  it('pages through the log as JSON', async () => {
    const { path, script } = await startRun();
    await script.decide();
    await script.transition('first', 1, begin);
    const page = await fixture.call('GET', `${path}?limit=2`);
    expect(page.body).toMatchObject({ hasMore: true, events: [{ type: 'RunRequested', version: 1, task: '' }, { type: 'RunPlanned', version: 2 }] });
    const rest = await fixture.call('GET', `${path}?after=${page.body.next}`);
    expect(rest.body).toMatchObject({ hasMore: false, events: [{ type: 'TaskTransitioned', task: 'first' }] });
    expect((await fixture.call('GET', `${path}?after=${rest.body.next}`)).body).toEqual({ events: [], next: rest.body.next, hasMore: false });
  });

  it('streams what is there and then what comes, each event once and in order', async () => {
    const { path, script } = await startRun();
    const client = await StreamClient.open(path);
    expect(client.response.headers.get('content-type')).toBe('text/event-stream');
    expect((await client.next()).event).toBe('RunRequested');
    await script.decide();
    await script.transition('first', 1, begin);
    await script.transition('first', 2, complete);
    const frames = await client.take(3);
    expect(frames.map(({ event }) => event)).toEqual(['RunPlanned', 'TaskTransitioned', 'TaskTransitioned']);
    const positions = frames.map(({ id }) => Number(id));
    expect(positions).toEqual(positions.toSorted((left, right) => left - right));
    expect(frames.map(({ data }) => data.position)).toEqual(frames.map(({ id }) => id));
    client.close();
  });

  it('resumes behind Last-Event-ID without a gap or a double, whatever happened meanwhile', async () => {
    const { path, script } = await startRun();
    const first = await StreamClient.open(path);
    const seen = [await first.next()];
    first.close();
    await script.decide();
    await script.transition('first', 1, begin);
    const second = await StreamClient.open(path, { 'last-event-id': seen[0]?.id ?? '' });
    await script.transition('first', 2, complete);
    seen.push(...(await second.take(3)));
    second.close();
    const { body } = await fixture.call('GET', path);
    expect(seen.map(({ id }) => id)).toEqual(body.events.map((event: { position: string }) => event.position));
  });

  it('begins again for a client that has seen more than there is, as before a backup was restored', async () => {
    const { path, script } = await startRun();
    const beyond = String((await fixture.log.head()) + 1);
    const client = await StreamClient.open(path, { 'last-event-id': beyond });
    await script.decide();
    expect((await client.take(2)).map(({ event }) => event)).toEqual(['RunRequested', 'RunPlanned']);
    client.close();
    const page = await fixture.call('GET', `${path}?after=${(await fixture.log.head()) + 1}`);
    expect(page).toMatchObject({ status: 422, body: { faults: [{ pointer: '?after', code: 'unknown_position' }] } });
    expect((await fixture.call('GET', `${path}?after=${await fixture.log.head()}`)).body.events).toEqual([]);
  });

  it('loses and doubles nothing when events are appended while streams are opened', async () => {
    const { path, script } = await startRun();
    await script.decide();
    const clients: Promise<StreamClient>[] = [];
    for (let version = 1; version <= 40; version += 1) {
      const back = version % 2 === 0;
      clients.push(StreamClient.open(path));
      await script.transition('first', version, back ? { transition: 'retry', from: 'failed', to: 'pending' } : { transition: 'fail', from: 'pending', to: 'failed' });
    }
    const { body } = await fixture.call('GET', path);
    const positions = body.events.map((event: { position: string }) => event.position);
    expect(positions).toHaveLength(42);
    for (const opening of clients) {
      const client = await opening;
      expect((await client.take(42)).map(({ id }) => id)).toEqual(positions);
      client.close();
    }
  });

  it('tells a stream of commits by another process that sends no hints', async () => {
    const { path, script } = await startRun();
    const client = await StreamClient.open(path);
    await client.next();
    const otherLog = createPostgresEventLog({ connectionString: fixture.databaseUrl });
    const other = await fixture.startGatewayBeside({ log: otherLog, bus: new EmbeddedBus() });
    const paused = await fetch(`${other.url}/orchestrator/runs/run_${script.runId}/pause`, { method: 'POST', headers: { authorization: `Bearer ${fixture.keys.operator}` } });
    expect(paused.status).toBe(202);
    expect((await client.next()).event).toBe('RunPaused');
    client.close();
    await other.close();
    await otherLog.close();
  });

  it('brings a client through a log of many megabytes, however far it got before', async () => {
    const { path, script } = await startRun();
    const metadata = { actor: 'test' };
    for (let index = 0; index < 24; index += 1) {
      const data = { signal: 'a', signalId: `s${index}`, payload: 'x'.repeat(250_000), at: 1 };
      await fixture.log.append([newEvent({ runId: script.runId, namespace: 'default', metadata }, signalStream(data.signalId), 1, { type: 'SignalReceived', data }, false)]);
    }
    const client = await StreamClient.open(path);
    const frames = await client.take(25);
    await script.decide(); // live again behind it
    expect((await client.next()).event).toBe('RunPlanned');
    client.close();
    const { body } = await fixture.call('GET', path);
    expect(frames.map(({ id }) => id)).toEqual(body.events.slice(0, 25).map((event: { position: string }) => event.position));
  });

  it('answers a HEAD and is done with it', async () => {
    const { path } = await startRun();
    const socket = connect(Number(new URL(fixture.gateway.url).port), '127.0.0.1');
    const head = `HEAD ${path} HTTP/1.1\r\nhost: x\r\naccept: text/event-stream\r\nauthorization: Bearer ${fixture.keys.viewer}\r\n\r\n`;
    socket.write(`${head}GET /livez HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n`);
    expect(await text(socket)).toMatch(/^HTTP\/1.1 200 .*"alive"/s);
  });

  it('reads the log once for all listeners together', async () => {
    const { path, script } = await startRun();
    const reads = jest.spyOn(fixture.log, 'readAfter');
    const clients = await Promise.all(Array.from({ length: 30 }, () => StreamClient.open(path)));
    await Promise.all(clients.map((client) => client.next()));
    reads.mockClear();
    await script.decide();
    await Promise.all(clients.map((client) => client.next()));
    expect(reads.mock.calls.length).toBeLessThanOrEqual(4); // one per client would be 30
    for (const client of clients) client.close();
    reads.mockRestore();
  });

  it('ends streams when the gateway stops', async () => {
    const { path } = await startRun();
    const gateway = await fixture.startGatewayBeside({});
    const response = await fetch(`${gateway.url}${path}`, { headers: { authorization: `Bearer ${fixture.keys.viewer}`, accept: 'text/event-stream' } });
    const reader = response.body?.getReader();
    await reader?.read();
    const closed = gateway.close();
    while ((await reader?.read())?.done === false);
    await closed;
  });
});
