import { ALL_MIGRATIONS, createPool } from '@foldwork/platform';
import { createTestDatabase, startThrowawayPostgres, type ThrowawayPostgres } from '@foldwork/testing';
import { DEFINITION, GatewayFixture, submit, type Answer } from './gateway-fixture';

let postgres: ThrowawayPostgres;
let fixture: GatewayFixture;
beforeAll(async () => {
  postgres = await startThrowawayPostgres();
  const database = await createTestDatabase({ migrations: ALL_MIGRATIONS, serverUrl: postgres.url });
  fixture = await GatewayFixture.start({ databaseUrl: database.url });
}, 60_000);
afterAll(async () => {
  await fixture.close();
  await postgres.stop();
});

const withKey = (key: string) => ({ json: { definition: DEFINITION, input: { s: 'x' } }, headers: { 'idempotency-key': key } });

const untilUp = async (): Promise<Answer> => {
  for (let tries = 0; tries < 100; tries += 1) {
    const answer = await fixture.call('GET', '/readyz', { key: null });
    if (answer.status === 200) return answer;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  throw new Error('never ready again');
};

describe('Postgres away', () => {
  it('answers 503 with Retry-After, accepts nothing by half, stays alive, and goes on by itself when Postgres is back', async () => {
    const before = await submit(fixture, withKey('before'));
    expect(before.status).toBe(202);
    await postgres.kill();
    const calls = [
      submit(fixture, withKey('during')),
      fixture.call('GET', `/orchestrator/runs/${before.body.runId}`),
      fixture.call('GET', `/orchestrator/runs/${before.body.runId}/events`),
      fixture.call('GET', '/orchestrator/runs'),
      fixture.call('POST', `/orchestrator/runs/${before.body.runId}/cancel`),
      fixture.call('PUT', '/orchestrator/workflows/demo.ordered', { json: DEFINITION }),
      fixture.call('GET', '/orchestrator/runs', { key: fixture.otherKeys.viewer }), // a key that must be looked up
    ];
    for (const answer of await Promise.all(calls)) {
      expect(answer).toMatchObject({ status: 503, body: { error: 'store_unavailable' } });
      expect(answer.headers.get('retry-after')).toBe('1');
      expect(answer.text).not.toMatch(/ECONN|5432|pg|terminating|127\.0\.0\.1/);
    }
    expect((await fixture.call('GET', '/livez', { key: null })).status).toBe(200);
    const unready = await fixture.call('GET', '/readyz', { key: null });
    expect(unready).toMatchObject({ status: 503, body: { status: 'not_ready', checks: { store: { status: 'down' } } } });

    await postgres.restart();
    await untilUp();
    const requested = (await fixture.log.readAfter(0, 1_000)).filter(({ type }) => type === 'RunRequested');
    expect(requested).toHaveLength(1);
    const again = await submit(fixture, withKey('during'));
    expect(again.status).toBe(202);
    expect((await submit(fixture, withKey('before'))).body.runId).toBe(before.body.runId);
  }, 60_000);

  it('loses no acknowledged run and doubles none when Postgres is killed under load', async () => {
    const acknowledged = new Map<string, string>();
    let stop = false;
    const client = async (name: number): Promise<void> => {
      for (let index = 0; !stop; index += 1) {
        const key = `load-${name}-${index}`;
        const answer = await submit(fixture, withKey(key)).catch(() => undefined);
        if (answer !== undefined && answer.status < 300) acknowledged.set(key, answer.body.runId);
      }
    };
    const clients = Array.from({ length: 8 }, (_, name) => client(name));
    await new Promise((resolve) => setTimeout(resolve, 500));
    await postgres.kill();
    await postgres.restart();
    await untilUp();
    await new Promise((resolve) => setTimeout(resolve, 300));
    stop = true;
    await Promise.all(clients);
    expect(acknowledged.size).toBeGreaterThan(20);
    for (const [key, runId] of [...acknowledged].slice(0, 50).concat([...acknowledged].slice(-50))) {
      const again = await submit(fixture, withKey(key));
      expect(again).toMatchObject({ status: 200, body: { runId } });
    }
  }, 60_000);
});

describe('Postgres that hangs', () => {
  it('is given up after its time: no request waits for ever', async () => {
    expect((await fixture.call('GET', '/orchestrator/runs')).status).toBe(200); // from now on the pool has a connection
    const { rows } = await fixture.pool.query<{ pid: number }>('SELECT pid FROM pg_stat_activity');
    const pids = [postgres.pid(), ...rows.map(({ pid }) => pid)];
    for (const pid of pids) process.kill(pid, 'SIGSTOP');
    try {
      const answers = await Promise.all([fixture.call('GET', '/orchestrator/runs'), fixture.call('GET', '/orchestrator/workflows'), fixture.call('GET', '/readyz', { key: null })]);
      expect(answers.map(({ status }) => status)).toEqual([503, 503, 503]);
    } finally {
      for (const pid of pids) process.kill(pid, 'SIGCONT');
    }
    await untilUp();
    expect((await fixture.call('GET', '/orchestrator/runs')).status).toBe(200);
  }, 40_000);
});

describe('the disk of the log is full', () => {
  it('refuses new runs with a clear error, keeps what there was, and goes on when there is space again', async () => {
    const before = await submit(fixture, withKey('space'));
    // What Postgres says when a write finds no space, raised where the write would be.
    await owner(`CREATE FUNCTION no_space() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
      RAISE EXCEPTION 'could not extend file "base/1/2": No space left on device' USING ERRCODE = 'disk_full'; END $$`);
    await owner('CREATE TRIGGER no_space BEFORE INSERT ON events FOR EACH STATEMENT EXECUTE FUNCTION no_space()');
    const refused = await submit(fixture, withKey('no-space'));
    expect(refused).toMatchObject({ status: 503, body: { error: 'store_full', remediation: expect.stringMatching(/disk space/) } });
    expect(refused.headers.get('retry-after')).toBe('30');
    expect(refused.text).not.toMatch(/extend file|No space left/);
    expect((await fixture.call('GET', `/orchestrator/runs/${before.body.runId}`)).status).toBe(200);
    await owner('DROP TRIGGER no_space ON events');
    expect((await submit(fixture, withKey('no-space'))).status).toBe(202);
  });
});

const owner = async (statement: string): Promise<void> => {
  const pool = createPool({ databaseUrl: fixture.databaseUrl, maximum: 1, applicationName: 'test', asOwner: true });
  await pool.query(statement);
  await pool.end();
};
