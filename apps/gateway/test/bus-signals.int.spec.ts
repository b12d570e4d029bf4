import { connect, type NatsConnection } from '@nats-io/transport-node';
import { connectNatsBus, openEvent, parseRunId, stringifyJson, type Bus } from '@foldwork/events';
import { startThrowawayNats, type ThrowawayNats } from '@foldwork/testing';
import { GatewayFixture, submit } from './gateway-fixture';

let nats: ThrowawayNats;
let outside: NatsConnection;
let bus: Bus;
let fixture: GatewayFixture;

beforeAll(async () => {
  nats = await startThrowawayNats();
  outside = await connect({ servers: nats.url });
  bus = await connectNatsBus({ servers: nats.url, name: 'gateway-test' });
  fixture = await GatewayFixture.start({ overrides: { bus } });
});
afterAll(async () => {
  await fixture?.close();
  await bus?.close();
  await outside?.close();
  await nats?.stop();
});

const send = async (message: unknown): Promise<{ signalId?: string; accepted?: boolean; error?: string; detail?: string; faults?: { pointer: string }[] }> =>
  JSON.parse((await outside.request('foldwork.signals', typeof message === 'string' ? message : stringifyJson(message), { timeout: 5_000 })).string());

const received = async (): Promise<{ namespace: string; runId: string; data: unknown; payload: string }[]> =>
  (await fixture.log.readAfter(0, 1_000)).filter(({ type }) => type === 'SignalReceived').map((event) => ({ ...event, payload: event.data, data: openEvent(event).data }));

describe('signals from NATS', () => {
  it('puts a signal to a run into the log, as REST does, and once per id', async () => {
    const { runId } = (await submit(fixture)).body;
    const message = { namespace: 'default', signal: 'go', run: runId, signalId: 'one', payload: { n: 1 }, correlationId: 'c' };
    expect(await send(message)).toEqual({ signalId: 'one', accepted: true });
    expect(await send(message)).toEqual({ signalId: 'one', accepted: false });
    const found = (await received()).filter((each) => each.runId === parseRunId(runId));
    expect(found).toMatchObject([{ data: { signal: 'go', signalId: 'one', payload: { n: 1 }, correlationId: 'c' } }]);
  });

  it('puts a signal to everybody into its namespace, numbers digit for digit', async () => {
    const answer = await send('{"namespace":"other","signal":"all","payload":{"n":9007199254740993}}');
    expect(answer).toEqual({ signalId: expect.any(String), accepted: true });
    const found = (await received()).filter(({ namespace }) => namespace === 'other');
    expect(found).toHaveLength(1);
    expect(found[0]?.payload).toContain('"n":9007199254740993');
  });

  it('serves a publisher that wants no answer', async () => {
    outside.publish('foldwork.signals', stringifyJson({ namespace: 'default', signal: 'quiet', signalId: 'q' }));
    await send({ namespace: 'default', signal: 'after', signalId: 'a' });
    expect((await received()).map(({ data }) => data)).toContainEqual(expect.objectContaining({ signal: 'quiet' }));
  });

  it.each([
    ['no JSON', '{', 'malformed_json', undefined],
    ['no namespace', { signal: 'go' }, 'validation_failed', '/namespace'],
    ['a name that REST refuses', { namespace: 'default', signal: 'not a name' }, 'validation_failed', '/signal'],
    ['a field that is unknown', { namespace: 'default', signal: 'go', sender: 'me' }, 'validation_failed', '/sender'],
    ['a run that is not there', { namespace: 'default', signal: 'go', run: 'run_01900000-0000-7000-8000-000000000000' }, 'run_not_found', undefined],
    ['a key that programs trip over', '{"namespace":"default","signal":"go","payload":{"__proto__":{}}}', 'validation_failed', '/payload/__proto__'],
  ])('refuses %s in the words of REST', async (_what, message, error, pointer) => {
    const before = (await received()).length;
    const answer = await send(message);
    expect(answer).toMatchObject({ error, detail: expect.any(String) });
    if (pointer !== undefined) expect(answer.faults?.map((fault) => fault.pointer)).toContain(pointer);
    expect(await received()).toHaveLength(before);
  });

  it('refuses a run of another namespace as if it did not exist', async () => {
    const { runId } = (await submit(fixture)).body;
    expect(await send({ namespace: 'other', signal: 'go', run: runId })).toMatchObject({ error: 'run_not_found' });
  });

  it('takes none when it is switched off', async () => {
    const prefix = `off-${process.pid}`;
    const quiet = await connectNatsBus({ servers: nats.url, name: 'off', prefix });
    const gateway = await fixture.startGatewayBeside({ bus: quiet }, { FOLDWORK_BUS_SIGNALS: 'off' });
    await expect(quiet.request('signals', '{}', 2_000)).rejects.toMatchObject({ code: 'BUS_NO_RESPONDER' });
    await gateway.close();
    await quiet.close();
  });
});
