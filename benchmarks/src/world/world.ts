import { join } from 'node:path';
import { Client } from 'pg';
import { connectNatsBus, type NatsBus } from '@foldwork/events';
import { ALL_MIGRATIONS, runMigrations } from '@foldwork/platform';
import { freePort, startThrowawayNats, startThrowawayPostgres, type ThrowawayNats, type ThrowawayPostgres } from '@foldwork/testing';
import { CompletionWatch } from '../client/completion-watch';
import { GatewayClient } from '../client/gateway-client';
import { BENCH_WORKFLOWS } from '../workflows';
import { DIST, Service, type App } from './service';
import { UsageMeter } from './usage-meter';

export interface WorldOptions {
  /** Further variables of all services. */
  readonly env?: Readonly<Record<string, string>>;
  /** Executors by name; default one. */
  readonly executors?: readonly string[];
  /** Counts time per statement; costs a little, so only where it is asked for. */
  readonly profile?: boolean;
}

interface Servers {
  readonly postgres: ThrowawayPostgres;
  readonly nats: ThrowawayNats;
  readonly database: Client;
  readonly bus: NatsBus;
}

const HOST = '127.0.0.1';
const ACTIONS = join(DIST, 'benchmarks', 'src', 'actions.js');

/** Worlds that are up: ended when the benchmark is told to stop. */
const open = new Set<World>();
export const closeAllWorlds = async (): Promise<void> => {
  await Promise.all([...open].map((world) => world.close()));
};
process.on('exit', () => [...open].forEach((world) => world.abandon()));

/** A Postgres, a nats-server and the four services, all of them processes of their own, and one client that watches. */
export class World {
  readonly services = new Map<string, Service>();
  client!: GatewayClient;
  watch!: CompletionWatch;
  meter!: UsageMeter;

  readonly postgres: ThrowawayPostgres;
  private readonly nats: ThrowawayNats;
  /** The superuser's connection, for reading what happened. */
  readonly database: Client;
  private readonly bus: NatsBus;

  private constructor(private readonly options: WorldOptions, servers: Servers) {
    ({ postgres: this.postgres, nats: this.nats, database: this.database, bus: this.bus } = servers);
  }

  static async start(options: WorldOptions = {}): Promise<World> {
    const statements = options.profile === true ? { shared_preload_libraries: 'pg_stat_statements', 'pg_stat_statements.track': 'top' } : {};
    const settings = { ...statements, track_commit_timestamp: 'on' }; // when an event became durable, not only when it was written
    const [postgres, nats] = await Promise.all([startThrowawayPostgres({ settings }), startThrowawayNats()]);
    await runMigrations({ databaseUrl: postgres.url, migrations: ALL_MIGRATIONS });
    const database = new Client({ connectionString: postgres.url, application_name: 'bench' });
    await database.connect();
    const world = new World(options, { postgres, nats, database, bus: await connectNatsBus({ servers: nats.url, name: 'bench' }) });
    open.add(world);
    try {
      await world.startServices();
    } catch (error) {
      await world.close();
      throw error;
    }
    return world;
  }

  private async startServices(): Promise<void> {
    const { executors = ['executor'] } = this.options;
    const starting = [this.spawn('gateway'), this.spawn('planner'), this.spawn('auditor'), ...executors.map((name) => this.spawn('executor', name))];
    const [gateway] = await Promise.all(starting.map(async (service) => (await service).ready()));
    if (gateway === undefined) throw new Error('no gateway');
    this.watch = await CompletionWatch.open(this.postgres.url, this.bus);
    this.client = await GatewayClient.open(gateway.url);
    for (const [name, definition] of Object.entries(BENCH_WORKFLOWS)) await this.client.publish(name, definition);
    this.meter = new UsageMeter({
      named: () => new Map([...[...this.services].map(([name, { pid }]) => [name, pid] as const), ['nats', this.nats.pid() ?? 0]]),
      postmaster: () => this.postgres.pid(),
      database: this.database,
    });
  }

  /** Starts one more service, or one that was killed; returns before it answers. */
  async spawn(app: App, name: string = app): Promise<Service> {
    const port = await freePort();
    const service = Service.spawn({ app, env: this.environment(app, name, port), url: `http://${HOST}:${port}` });
    this.services.set(name, service);
    return service;
  }

  service(name: string): Service {
    const service = this.services.get(name);
    if (service === undefined) throw new Error(`there is no ${name}`);
    return service;
  }

  async close(): Promise<void> {
    open.delete(this);
    this.meter?.close();
    this.client?.close();
    await this.watch?.close();
    await Promise.all([...this.services.values()].map((service) => service.stop()));
    await Promise.all([this.bus.close(), this.database.end()]);
    await Promise.all([this.postgres.stop(), this.nats.stop()]);
  }

  /** Postgres and nats-server look after themselves. */
  abandon(): void {
    for (const service of this.services.values()) service.abandon();
  }

  private environment(app: App, name: string, port: number): Record<string, string> {
    return {
      FOLDWORK_DATABASE_URL: this.postgres.url,
      FOLDWORK_NATS_URL: this.nats.url,
      FOLDWORK_LOG_LEVEL: 'warn',
      FOLDWORK_AUTH: 'off',
      FOLDWORK_RATE_LIMIT: '0',
      FOLDWORK_HTTP_HOST: HOST,
      ...(app === 'gateway' ? { FOLDWORK_HTTP_PORT: String(port) } : { FOLDWORK_HEALTH_PORT: String(port) }),
      ...(app === 'executor' && { FOLDWORK_EXECUTOR_NAME: name, FOLDWORK_ACTIONS: ACTIONS }),
      ...(app === 'planner' && { FOLDWORK_PLANNER_NAME: name }),
      ...this.options.env,
    };
  }
}
