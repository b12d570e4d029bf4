import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { createPostgresEventLog, type EventLog } from '@foldwork/events';
import { ALL_MIGRATIONS } from '@foldwork/platform';
import { createTestDatabase, freePort, startThrowawayNats, startThrowawayPostgres, type ThrowawayNats, type ThrowawayPostgres } from '@foldwork/testing';
import { Api } from './api';
import { Service, WORKSPACE, type App } from './service';
import { until } from './until';
import { World } from './world';

export interface SystemOptions {
  /** A Postgres of its own, which tests may stop; else a database on the shared one. */
  readonly ownPostgres?: boolean;
  readonly postgresSettings?: Readonly<Record<string, string>>;
  /** Where its own Postgres lives; removed with it. */
  readonly postgresFolder?: string;
  readonly env?: Readonly<Record<string, string>>;
  /** Names of the services to start; the part before the first dash is the app. Default: one of each. */
  readonly services?: readonly string[];
}

const PROJECTS = ['apps/gateway', 'apps/planner', 'apps/executor', 'apps/auditor', 'libs/actions', 'libs/domain', 'libs/events', 'libs/platform', 'libs/read-models'];
export const ONE_OF_EACH = ['gateway', 'planner', 'executor', 'auditor'] as const;

interface SystemParts {
  readonly world: World;
  readonly nats: ThrowawayNats;
  readonly postgres: ThrowawayPostgres | undefined;
  readonly database: { readonly url: string; drop(): Promise<void> };
  readonly log: EventLog;
  /** Where each gateway listens, by its name. */
  readonly ports: ReadonlyMap<string, number>;
  readonly env: Readonly<Record<string, string>>;
}

/** Foldwork as it is shipped: separate processes on a real Postgres and a real NATS, around an outside world in the test. */
export class System {
  readonly services = new Map<string, Service>();
  /** The first gateway. */
  readonly api: Api;

  private constructor(private readonly parts: SystemParts) {
    this.api = this.apiOf([...parts.ports.keys()][0] ?? '');
  }

  /** One gateway of several, by its name. */
  apiOf(gateway: string): Api {
    return new Api(`http://127.0.0.1:${this.parts.ports.get(gateway)}`);
  }

  get world(): World {
    return this.parts.world;
  }

  get nats(): ThrowawayNats {
    return this.parts.nats;
  }

  /** Only with `ownPostgres`. */
  get postgres(): ThrowawayPostgres {
    if (this.parts.postgres === undefined) throw new Error('this system shares its Postgres');
    return this.parts.postgres;
  }

  /** For looking at what is recorded. */
  get log(): EventLog {
    return this.parts.log;
  }

  get databaseUrl(): string {
    return this.parts.database.url;
  }

  static async start(options: SystemOptions = {}): Promise<System> {
    execFileSync(process.execPath, ['tools/build.mjs', ...PROJECTS], { cwd: WORKSPACE }); // does nothing when all is built
    const services = options.services ?? ONE_OF_EACH;
    const [world, nats, postgres, ports] = await Promise.all([
      World.start(), startThrowawayNats(),
      options.ownPostgres === true ? startThrowawayPostgres({ settings: options.postgresSettings ?? {}, ...(options.postgresFolder !== undefined && { folder: options.postgresFolder }) }) : undefined,
      portsOf(services.filter((name) => appOf(name) === 'gateway')),
    ]);
    const database = await createTestDatabase({ migrations: ALL_MIGRATIONS, ...(postgres && { serverUrl: postgres.url }) });
    const log = createPostgresEventLog({ connectionString: database.url, applicationName: 'e2e', onError: () => undefined });
    const system = new System({ world, nats, postgres, database, log, ports, env: options.env ?? {} });
    try {
      await system.launchAll(services);
    } catch (error) {
      await system.stop();
      throw error;
    }
    return system;
  }

  service(name: string): Service {
    const service = this.services.get(name);
    if (service === undefined) throw new Error(`no service ${name}`);
    return service;
  }

  /** Spawns a service without waiting for it. One of that name must not be running. */
  launch(name: string, env: Readonly<Record<string, string>> = {}): Service {
    const service = new Service(appOf(name), { ...this.settings(name), ...this.parts.env, ...env });
    this.services.set(name, service);
    return service;
  }

  async launchAll(names: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<void> {
    for (const name of names) this.launch(name, env);
    await Promise.all(names.map((name) => this.ready(name)));
  }

  /** Resolves when the service has said that it is at work. */
  async ready(name: string): Promise<Service> {
    const service = this.service(name);
    if (service.app !== 'gateway') await service.logged(READY[service.app]);
    else await until(`${name} answers`, async () => {
      if (service.hasEnded) throw new Error(`the gateway ended\n${service.complaints}`);
      return (await this.apiOf(name).call('GET', '/livez').catch(() => undefined))?.status === 200;
    });
    return service;
  }

  async kill(...names: readonly string[]): Promise<void> {
    await Promise.all(names.map((name) => this.service(name).kill()));
  }

  /** Resolves when everything has stopped and nothing is left of it. */
  async stop(): Promise<void> {
    await this.kill(...this.services.keys());
    const { log, nats, postgres, database, world } = this.parts;
    await log.close();
    await nats.stop();
    if (postgres === undefined) await database.drop();
    else await postgres.stop();
    await world.close();
  }

  /** What an operator would set to run tools beside the services. */
  settings(name: string): Record<string, string> {
    return {
      FOLDWORK_DATABASE_URL: this.parts.database.url,
      FOLDWORK_NATS_URL: this.nats.url,
      FOLDWORK_MIGRATE: 'off',
      FOLDWORK_AUTH: 'off',
      FOLDWORK_HTTP_PORT: String(this.parts.ports.get(name) ?? 0),
      FOLDWORK_ACTIONS: join(__dirname, '../actions/world-actions.mjs'),
      FOLDWORK_EXECUTOR_NAME: name,
      FOLDWORK_PLANNER_NAME: name,
      FOLDWORK_RUN_RETRY_DELAY: '300ms',
      FOLDWORK_LOG_LEVEL: 'info',
      WORLD_URL: this.world.url,
    };
  }
}

const READY = { planner: 'planner_started', executor: 'executor_started', auditor: 'started' } as const;

const portsOf = async (gateways: readonly string[]): Promise<Map<string, number>> =>
  new Map(await Promise.all(gateways.map(async (name) => [name, await freePort()] as const)));

const appOf = (name: string): App => {
  const app = name.split('-')[0];
  if (app === 'gateway' || app === 'planner' || app === 'executor' || app === 'auditor') return app;
  throw new Error(`${name} names no service`);
};
