import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createPool } from '@foldwork/platform';
import { ROLES, revokeApiKey, type Role } from '@foldwork/platform/http';
import { exportJWK, generateKeyPair, SignJWT } from 'jose';
import { DEFINITION, GatewayFixture, submit } from './gateway-fixture';

let fixture: GatewayFixture;
let runId: string;
beforeAll(async () => {
  fixture = await GatewayFixture.start();
  runId = (await submit(fixture)).body.runId;
  await fixture.call('PUT', '/orchestrator/workflows/demo.ordered', { json: DEFINITION });
  await fixture.project();
});
afterAll(() => fixture.close());

/** Every described call with the least role that may make it. A call that is missing here fails the test below. */
const NEEDED: Readonly<Record<string, Role | 'open'>> = {
  'POST /orchestrator/runs': 'operator',
  'POST /orchestrator/runs/batch': 'operator',
  'GET /orchestrator/runs': 'viewer',
  'GET /orchestrator/runs/{id}': 'viewer',
  'GET /orchestrator/runs/{id}/events': 'viewer',
  'POST /orchestrator/runs/{id}/retry': 'operator',
  'POST /orchestrator/runs/{id}/cancel': 'operator',
  'POST /orchestrator/runs/{id}/pause': 'operator',
  'POST /orchestrator/runs/{id}/resume': 'operator',
  'POST /orchestrator/runs/{id}/signals': 'operator',
  'POST /orchestrator/signals': 'operator',
  'POST /orchestrator/runs/{id}/tasks/{task}/resolve': 'approver',
  'GET /orchestrator/workflows': 'viewer',
  'POST /orchestrator/workflows/check': 'viewer',
  'PUT /orchestrator/workflows/{name}': 'operator',
  'GET /orchestrator/workflows/{name}': 'viewer',
  'GET /orchestrator/workflows/{name}/versions': 'viewer',
  'GET /orchestrator/task-types': 'viewer',
  'PUT /orchestrator/task-types/{type}': 'admin',
  'GET /schemas/workflow.v1.schema.json': 'open',
  'GET /livez': 'open',
  'GET /readyz': 'open',
};

const split = (call: string): [method: string, path: string] => {
  const [method = '', template = ''] = call.split(' ');
  return [method, template.replace('{id}', runId).replace('{task}', 'first').replace('{name}', 'demo.ordered').replace('{type}', 'wait')];
};

describe('access', () => {
  it('has a rule for every call that the API describes', async () => {
    expect((await fixture.openApi()).calls.toSorted()).toEqual(Object.keys(NEEDED).toSorted());
  });

  it.each(Object.entries(NEEDED))('%s needs %s: fewer rights get 403, none 401', async (call, needed) => {
    const [method, path] = split(call);
    const none = await fixture.call(method, path, { key: null });
    if (needed === 'open') return expect(none.status).toBe(200);
    expect(none).toMatchObject({ status: 401, body: { error: 'credentials_missing' } });
    expect(none.headers.get('www-authenticate')).toBe('Bearer');
    expect((await fixture.call(method, path, { key: `fw_${'a'.repeat(16)}_${'b'.repeat(43)}` })).status).toBe(401);
    for (const role of ROLES) {
      const { status } = await fixture.call(method, path, { key: fixture.keys[role] });
      if (ROLES.indexOf(role) < ROLES.indexOf(needed)) expect([role, status]).toEqual([role, 403]);
      else expect([401, 403]).not.toContain(status);
    }
  });

  it.each(Object.entries(NEEDED).filter(([call]) => call.includes('{') && !call.startsWith('PUT')))('%s answers another namespace as if nothing were there', async (call) => {
    const [method, path] = split(call);
    const json = call.includes('resolve') ? { as: 'completed', reason: 'r' } : call.includes('signals') ? { signal: 's' } : undefined;
    const answer = await fixture.call(method, path, { key: fixture.otherKeys.admin, ...(json !== undefined && { json }) });
    expect(answer.status).toBe(404);
  });

  it('lists only what belongs to the namespace', async () => {
    await fixture.project();
    const mine = await fixture.call('GET', '/orchestrator/runs');
    expect(mine.body.runs.map((run: { runId: string }) => run.runId)).toContain(runId);
    const theirs = await fixture.call('GET', '/orchestrator/runs', { key: fixture.otherKeys.viewer });
    expect(theirs.body.runs).toEqual([]);
    const found = await fixture.call('GET', `/orchestrator/runs?search=${runId}`, { key: fixture.otherKeys.viewer });
    expect(found.body.runs).toEqual([]);
    const started = await submit(fixture, { json: { workflow: 'demo.ordered', input: {} }, key: fixture.keys.operator });
    expect(started.status).toBe(202);
  });

  it('publishes a workflow of the same name without touching that of another namespace', async () => {
    const theirs = await fixture.call('PUT', '/orchestrator/workflows/demo.ordered', { json: { ...DEFINITION, title: 'Theirs' }, key: fixture.otherKeys.operator });
    expect(theirs.status).toBe(201);
    const mine = await fixture.call('GET', '/orchestrator/workflows/demo.ordered');
    expect(mine.body.hash).not.toBe(theirs.body.hash);
  });

  it('does not start a workflow of another namespace, nor by the hash of its definition', async () => {
    await fixture.call('PUT', '/orchestrator/workflows/mine.only', { json: { ...DEFINITION, workflow: 'mine.only' } });
    const answer = await submit(fixture, { json: { workflow: 'mine.only', input: {} }, key: fixture.otherKeys.admin });
    expect(answer).toMatchObject({ status: 400, body: { error: 'unknown_workflow' } });
  });

  it('keeps secrets out of database, log lines and events', async () => {
    const { rows } = await fixture.pool.query<{ row: string }>('SELECT api_keys::text AS row FROM api_keys');
    const events = (await fixture.log.readAfter(0, 1_000)).map((event) => event.metadata + event.data).join('');
    const all = rows.map(({ row }) => row).join('') + events + fixture.logLines.join('');
    for (const key of Object.values(fixture.keys)) expect(all).not.toContain(key.slice(20));
    expect(events).toContain('"actor":"key:operator-of-default"');
  });

  it('refuses a key that was revoked, after at most five seconds', async () => {
    const gateway = fixture.gateway;
    const owner = createPool({ databaseUrl: fixture.databaseUrl, maximum: 1, applicationName: 'revoke', asOwner: true });
    expect((await fixture.call('GET', '/orchestrator/runs', { key: fixture.keys.admin })).status).toBe(200);
    expect(await revokeApiKey(owner, fixture.keys.admin.split('_')[1] ?? '')).toBe(true);
    await owner.end();
    await gateway.close();
    await fixture.startGateway(); // a new process has nothing remembered
    expect((await fixture.call('GET', '/orchestrator/runs', { key: fixture.keys.admin })).status).toBe(401);
  });

  it('limits the requests of a key, not of the others', async () => {
    const before = fixture.gateway;
    await fixture.startGateway({ env: { FOLDWORK_RATE_LIMIT: '5' } });
    const statuses: number[] = [];
    for (let index = 0; index < 8; index += 1) statuses.push((await fixture.call('GET', '/orchestrator/workflows')).status);
    expect(statuses.slice(0, 5)).toEqual([200, 200, 200, 200, 200]);
    const limited = await Promise.all(Array.from({ length: 10 }, () => fixture.call('GET', '/orchestrator/workflows')));
    const refused = limited.find(({ status }) => status === 429);
    expect(refused?.body).toMatchObject({ error: 'rate_limited' });
    expect(refused?.headers.get('retry-after')).toBe('1');
    expect((await fixture.call('GET', '/orchestrator/workflows', { key: fixture.keys.viewer })).status).toBe(200);
    await before.close();
  });

  it('limits what an address has looked up of unknown keys, not whom it knows there', async () => {
    const list = (key: string) => fixture.call('GET', '/orchestrator/workflows', { key });
    expect((await list(fixture.keys.viewer)).status).toBe(200);
    const strangers = Array.from({ length: 400 }, (_, index) => `fw_${String(index).padStart(16, 'a')}_${'b'.repeat(43)}`);
    const answers = await Promise.all(strangers.map(list));
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([401, 429]));
    const refused = answers.find(({ status }) => status === 429);
    expect(refused?.body).toMatchObject({ error: 'rate_limited', detail: expect.stringContaining('address') });
    expect(refused?.headers.get('retry-after')).toBe('1');
    expect((await list(fixture.keys.viewer)).status).toBe(200);
  });
});

describe('tokens of an OIDC issuer', () => {
  let issuer: Server;
  let url: string;
  let sign: (claims: Record<string, unknown>, expires?: string, audience?: string) => Promise<string>;

  beforeAll(async () => {
    const { privateKey, publicKey } = await generateKeyPair('ES256');
    const jwk = { ...(await exportJWK(publicKey)), kid: 'k1', alg: 'ES256' };
    issuer = createServer((request, response) => {
      response.setHeader('content-type', 'application/json');
      response.end(JSON.stringify(request.url === '/jwks' ? { keys: [jwk] } : { issuer: url, jwks_uri: `${url}/jwks` }));
    });
    await new Promise<void>((resolve) => issuer.listen(0, '127.0.0.1', resolve));
    url = `http://127.0.0.1:${(issuer.address() as AddressInfo).port}`;
    sign = (claims, expires = '5m', audience = 'foldwork') =>
      new SignJWT(claims).setProtectedHeader({ alg: 'ES256', kid: 'k1' }).setIssuer(url).setAudience(audience).setSubject('anna').setExpirationTime(expires).sign(privateKey);
    await fixture.gateway.close();
    await fixture.startGateway({ env: { FOLDWORK_OIDC_ISSUER: url } });
  });
  afterAll(() => new Promise((resolve) => issuer.close(resolve)));

  it('gives the role that the token has in the namespace', async () => {
    const token = await sign({ foldwork: { default: 'operator', other: 'viewer' } });
    const accepted = await submit(fixture, { key: token });
    expect(accepted.status).toBe(202);
    const { body } = await fixture.call('GET', `/orchestrator/runs/${accepted.body.runId}/events`, { key: token });
    expect(body.events[0].metadata.actor).toBe('user:anna');
    expect((await submit(fixture, { key: token, headers: { 'foldwork-namespace': 'other' } })).status).toBe(403);
    expect((await fixture.call('GET', '/orchestrator/runs', { key: token, headers: { 'foldwork-namespace': 'other' } })).status).toBe(200);
    expect((await fixture.call('GET', '/orchestrator/runs', { key: token, headers: { 'foldwork-namespace': 'third' } })).status).toBe(403);
  });

  it('refuses tokens that are expired, for others, unsigned, of another key, or without a role', async () => {
    const { privateKey } = await generateKeyPair('ES256');
    const claims = { foldwork: { default: 'admin' } };
    const foreign = await new SignJWT(claims).setProtectedHeader({ alg: 'ES256', kid: 'k1' }).setIssuer(url).setAudience('foldwork').setSubject('eve').setExpirationTime('5m').sign(privateKey);
    const unsigned = `${Buffer.from('{"alg":"none"}').toString('base64url')}.${Buffer.from(JSON.stringify({ ...claims, iss: url, aud: 'foldwork', sub: 'eve', exp: 9_999_999_999 })).toString('base64url')}.`;
    for (const token of [await sign(claims, '-1s'), await sign(claims, '5m', 'others'), foreign, unsigned, await sign({}), await sign({ foldwork: { default: 'root' } }), 'x'.repeat(5_000)]) {
      expect((await fixture.call('GET', '/orchestrator/runs', { key: token })).status).toBe(401);
    }
  });
});
