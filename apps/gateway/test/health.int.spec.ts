import { GatewayFixture, submit } from './gateway-fixture';

let fixture: GatewayFixture;
beforeAll(async () => {
  fixture = await GatewayFixture.start({ env: { FOLDWORK_READY_LAG: '2' } });
});
afterAll(() => fixture.close());

const readiness = () => fixture.call('GET', '/readyz', { key: null });

it('is ready while the read models are not too far behind, and again when they have caught up', async () => {
  await submit(fixture);
  await fixture.project();
  for (const lag of [0, 1, 2]) {
    expect(await readiness()).toMatchObject({ status: 200, body: { status: 'ready', checks: { store: { status: 'up' }, projection: { status: 'up', lag } } } });
    await submit(fixture);
  }
  expect(await readiness()).toMatchObject({ status: 503, body: { status: 'not_ready', checks: { store: { status: 'up' }, projection: { status: 'down', lag: 3 } } } });
  expect((await fixture.call('GET', '/livez', { key: null })).status).toBe(200);
  await fixture.project();
  expect(await readiness()).toMatchObject({ status: 200, body: { checks: { projection: { lag: 0 } } } });
});

it('tells that the bus is away, and stays ready: runs are accepted all the same', async () => {
  fixture.bus.disconnect();
  try {
    expect(await readiness()).toMatchObject({ status: 200, body: { checks: { bus: { connected: false } } } });
    expect((await submit(fixture)).status).toBe(202);
  } finally {
    fixture.bus.reconnect();
  }
  expect(await readiness()).toMatchObject({ status: 200, body: { checks: { bus: { connected: true } } } });
});
