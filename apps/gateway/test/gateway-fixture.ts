import { createPostgresEventLog, EmbeddedBus, PostgresDefinitionStore, type PostgresEventLog } from '@foldwork/events';
import { ALL_MIGRATIONS, announceCommits, createLogger, createPool, HealthRegistry, readConfig } from '@foldwork/platform';
import { createAccess, createApiKey, type Role } from '@foldwork/platform/http';
import { applyChanges, PROJECTION, projectReadModels } from '@foldwork/read-models';
import { createTestDatabase } from '@foldwork/testing';
import type { Pool } from 'pg';
import { startGateway, type Gateway } from '../src/create-gateway';
import type { GatewayDependencies } from '../src/gateway-dependencies';
import { registerGatewayChecks } from '../src/health/gateway-health';
import { OpenApiContract } from './openapi-contract';

export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  // A test looks at what it expects to be there; a wrong guess fails the test.
  // eslint-disable-next-line @typescript-eslint/no-explicit-any
  readonly body: any;
}

export interface Call {
  readonly key?: string | null;
  readonly json?: unknown;
  /** Sent as it is. */
  readonly raw?: string | Uint8Array;
  readonly headers?: Record<string, string>;
}

/** A gateway on a database of its own, with a key for each role in two namespaces. */
export class GatewayFixture {
  readonly keys: Record<Role, string> = { viewer: '', operator: '', approver: '', admin: '' };
  readonly otherKeys: Record<Role, string> = { viewer: '', operator: '', approver: '', admin: '' };
  readonly logLines: string[] = [];
  private contract: OpenApiContract | undefined;
  private readonly cleanUps: (() => Promise<unknown>)[] = [];

  private constructor(readonly databaseUrl: string, readonly log: PostgresEventLog, readonly pool: Pool, readonly bus: EmbeddedBus) {}

  gateway!: Gateway;

  static async start(options: { env?: Record<string, string>; databaseUrl?: string; overrides?: Partial<GatewayDependencies> } = {}): Promise<GatewayFixture> {
    const database = options.databaseUrl === undefined ? await createTestDatabase({ migrations: ALL_MIGRATIONS }) : undefined;
    const databaseUrl = options.databaseUrl ?? database?.url ?? '';
    const log = createPostgresEventLog({ connectionString: databaseUrl, readConnectionsMax: 2, retryDelaysMs: [10, 50] });
    const pool = createPool({ databaseUrl, maximum: 3, applicationName: 'gateway-test' });
    const fixture = new GatewayFixture(databaseUrl, log, pool, new EmbeddedBus());
    announceCommits(log, fixture.bus);
    await fixture.makeKeys();
    await fixture.startGateway(options);
    fixture.cleanUps.push(() => fixture.gateway.close(), () => log.close(), () => pool.end(), () => fixture.bus.close(), async () => database?.drop());
    return fixture;
  }

  /** One more gateway on the same store; from now on the one that is called. */
  async startGateway(options: { env?: Record<string, string>; overrides?: Partial<GatewayDependencies> } = {}): Promise<Gateway> {
    this.gateway = await this.startGatewayBeside(options.overrides, options.env);
    return this.gateway;
  }

  async startGatewayBeside(overrides: Partial<GatewayDependencies> = {}, env: Record<string, string> = {}): Promise<Gateway> {
    const settings = readConfig({ FOLDWORK_RATE_LIMIT: '0', ...env });
    const { log, bus, pool } = this;
    const health = registerGatewayChecks(new HealthRegistry(500), { log, bus, reads: pool, lagMax: settings.readyLagMax });
    const logger = createLogger({ app: 'gateway', level: 'info', destination: { write: (line) => void this.logLines.push(line) } });
    const definitions = new PostgresDefinitionStore(pool);
    const dependencies = { log, bus, definitions, reads: pool, access: createAccess(settings, pool), health, logger, settings, ...overrides };
    return startGateway(dependencies, { host: '127.0.0.1', port: 0 });
  }

  /** Calls the gateway as an operator unless told otherwise, and holds the answer against the API's description. */
  async call(method: string, path: string, { key = this.keys.operator, json, raw, headers = {} }: Call = {}): Promise<Answer> {
    const body = raw ?? (json === undefined ? undefined : JSON.stringify(json));
    const response = await fetch(`${this.gateway.url}${path}`, {
      method,
      headers: { ...(key !== null && { authorization: `Bearer ${key}` }), ...(body !== undefined && { 'content-type': 'application/json' }), ...headers },
      ...(body !== undefined && { body }),
    });
    const text = await response.text();
    const media = (response.headers.get('content-type') ?? '').split(';')[0] ?? '';
    const parsed: unknown = media.endsWith('json') ? JSON.parse(text) : undefined;
    (await this.openApi()).check(method, path.split('?')[0] ?? path, { status: response.status, media, body: parsed });
    return { status: response.status, headers: response.headers, text, body: parsed };
  }

  async openApi(): Promise<OpenApiContract> {
    this.contract ??= new OpenApiContract((await (await fetch(`${this.gateway.url}/openapi.json`)).json()) as ConstructorParameters<typeof OpenApiContract>[0]);
    return this.contract;
  }

  /** What an auditor would do: brings the read models up to date with the log. */
  async project(): Promise<void> {
    const epoch = await this.log.epoch();
    await this.pool.query('INSERT INTO checkpoints (name, position, epoch) VALUES ($1, 0, $2) ON CONFLICT DO NOTHING', [PROJECTION, epoch]);
    const { rows } = await this.pool.query<{ position: string }>('SELECT position FROM checkpoints WHERE name = $1', [PROJECTION]);
    const from = Number(rows[0]?.position ?? 0);
    const events = await this.log.readAfter(from, 10_000);
    const to = events.at(-1)?.position;
    if (to !== undefined) await applyChanges(this.pool, 'read_models', { checkpoint: PROJECTION, epoch, from, to, changes: projectReadModels(events) });
  }

  async close(): Promise<void> {
    for (const cleanUp of this.cleanUps) await cleanUp();
  }

  private async makeKeys(): Promise<void> {
    const owner = createPool({ databaseUrl: this.databaseUrl, maximum: 1, applicationName: 'keys', asOwner: true });
    for (const role of ['viewer', 'operator', 'approver', 'admin'] as const) {
      this.keys[role] = await createApiKey(owner, { name: `${role}-of-default`, namespace: 'default', role });
      this.otherKeys[role] = await createApiKey(owner, { name: `${role}-of-other`, namespace: 'other', role });
    }
    await owner.end();
  }
}

export const DEFINITION = {
  workflow: 'demo.ordered',
  input: { type: 'object', properties: { n: { type: 'number' }, s: { type: 'string' } } },
  tasks: [
    { id: 'first', type: 'basic', action: 'core.log', with: { message: 'hello' } },
    { id: 'second', type: 'basic', action: 'core.log', with: { message: '${ input.s }' } },
  ],
};

export const submit = (fixture: GatewayFixture, call: Call = {}): Promise<Answer> =>
  fixture.call('POST', '/orchestrator/runs', { json: { definition: DEFINITION, input: { n: 1, s: 'x' } }, ...call });
