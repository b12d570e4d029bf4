import { jetstreamManager, type JetStreamManager } from '@nats-io/jetstream';
import { connect, type NatsConnection } from '@nats-io/transport-node';
import { connectNatsBus, formatRunId, type NatsBus, type RecordedEvent } from '@foldwork/events';
import { startThrowawayNats, syntheticRun, type ThrowawayNats } from '@foldwork/testing';
import { auditorWorld, checkpointOf, mixedRuns, until, type AuditorWorld } from './auditor-world';

let world: AuditorWorld;
let nats: ThrowawayNats;
let bus: NatsBus;
beforeEach(async () => {
  [world, nats] = await Promise.all([auditorWorld(), startThrowawayNats()]);
  bus = await connectNatsBus({ servers: nats.url, name: 'auditor' });
});
afterEach(async () => {
  await bus.close();
  await Promise.all([world.close(), nats.stop()]);
});

interface Received {
  readonly subject: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly payload: string;
}

/** Everything the stream holds, as an outside subscriber finds it. */
const received = async (): Promise<Received[]> => {
  const outside: NatsConnection = await connect({ servers: nats.url });
  const manager: JetStreamManager = await jetstreamManager(outside);
  const { state } = await manager.streams.info('FOLDWORK_EVENTS');
  const messages: Received[] = [];
  for (let seq = state.first_seq; seq <= state.last_seq; seq += 1) {
    const message = await manager.streams.getMessage('FOLDWORK_EVENTS', { seq });
    if (message === null) continue;
    const headers = Object.fromEntries(message.header.keys().map((key) => [key, message.header.get(key)]));
    messages.push({ subject: message.subject, headers, payload: message.string() });
  }
  await outside.close();
  return messages;
};

const idOf = ({ runId, task, version }: RecordedEvent): string => `${formatRunId(runId)}/${task}/${version}`;
const published = async (): Promise<void> => {
  const head = await world.log.head();
  await until(async () => (await checkpointOf(world.pool, 'feed')) === head, `feed of ${head} events`, 30_000);
};

describe('the feed', () => {
  it('publishes each event as a CloudEvent whose payload is the recorded text', async () => {
    const traceparent = `00-${'a'.repeat(32)}-${'b'.repeat(16)}-01`;
    const auditor = world.auditor({ feed: true }, bus);
    auditor.start();
    await world.append([syntheticRun({ steps: 2, input: { big: '12345678901234567890', text: 'ä€' }, metadata: { traceparent } }), syntheticRun({ steps: 1, namespace: 'shop.a' })]);
    await published();
    await auditor.stop();
    const events = await world.log.readAfter(0, 100);
    const messages = await received();
    expect(messages.map(({ headers }) => headers['ce-id'])).toEqual(events.map(idOf));
    events.forEach((event, index) => {
      const { headers, payload, subject } = messages[index]!;
      expect(payload).toBe(event.data);
      expect(headers).toMatchObject({
        'ce-specversion': '1.0', 'ce-type': event.type, 'ce-source': `/foldwork/${event.namespace}`,
        'ce-time': new Date(event.recordedAt).toISOString(), 'Nats-Msg-Id': idOf(event),
      });
      expect(headers['traceparent']).toBe(event.namespace === 'default' ? traceparent : undefined);
      expect(subject.split('.').slice(-2)).toEqual([formatRunId(event.runId), event.type]);
    });
    expect(messages[0]?.subject).toBe(`foldwork.events.default.${formatRunId(events[0]!.runId)}.RunRequested`);
  });

  it('sends an event that is too large for the server without its payload, and says where that is', async () => {
    const auditor = world.auditor({ feed: true }, bus);
    auditor.start();
    await world.append([syntheticRun({ steps: 1 }), syntheticRun({ steps: 1, input: { text: 'x'.repeat(1_100_000) } }), syntheticRun({ steps: 1, at: 1_900_000_000_000 })]);
    await published();
    await auditor.stop();
    const events = await world.log.readAfter(0, 100);
    const messages = await received();
    expect(messages.map(({ headers }) => headers['ce-id'])).toEqual(events.map(idOf));
    const large = events.find(({ data }) => data.length > 1_000_000)!;
    const { headers, payload } = messages[large.position - 1]!;
    expect(payload).toBe('');
    expect(headers['ce-dataref']).toBe(`/orchestrator/runs/${formatRunId(large.runId)}/events?after=${large.position - 1}&limit=1`);
    expect(messages.filter(({ headers }) => 'ce-dataref' in headers)).toHaveLength(1);
  });

  it('sends everything once, in order, over a server that goes away for a while and a new auditor', async () => {
    const auditor = world.auditor({ feed: true }, bus);
    auditor.start();
    await world.append(mixedRuns(30));
    await published();
    await nats.kill();
    await world.append(mixedRuns(30, 1_810_000_000_000));
    await new Promise((resolve) => setTimeout(resolve, 1_500)); // what matters is that nothing happens meanwhile
    expect(await checkpointOf(world.pool, 'feed')).toBeLessThan(await world.log.head());
    expect(auditor.lag.feed).toBeGreaterThan(0);
    await nats.restart();
    await published();
    await auditor.stop();
    const next = world.auditor({ feed: true }, bus);
    next.start();
    await world.append(mixedRuns(5, 1_820_000_000_000));
    await published();
    await next.stop();
    const ids = (await received()).map(({ headers }) => headers['ce-id']);
    expect(ids).toEqual((await world.log.readAfter(0, 10_000)).map(idOf));
  });

  it('has no doubles in the stream with two auditors at once', async () => {
    const otherBus = await connectNatsBus({ servers: nats.url, name: 'auditor-2' });
    const auditors = [world.auditor({ feed: true }, bus), world.auditor({ feed: true }, otherBus)];
    auditors.forEach((auditor) => auditor.start());
    for (let round = 0; round < 5; round += 1) await world.append(mixedRuns(20, 1_830_000_000_000 + round * 1_000));
    await published();
    await Promise.all(auditors.map((auditor) => auditor.stop()));
    const ids = (await received()).map(({ headers }) => headers['ce-id']);
    expect(new Set(ids).size).toBe(ids.length);
    expect([...ids].sort()).toEqual((await world.log.readAfter(0, 10_000)).map(idOf).sort());
    await otherBus.close();
  });
});
