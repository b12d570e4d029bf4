import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Pool } from 'pg';
import {
  createPostgresEventLog, EmbeddedBus, InMemoryDefinitionStore, logMigrations, Membership, newEvent, openEvent, parseJson, RUN_STREAM, stringifyJson,
  type DefinitionHash, type DomainEvent, type EventLog, type Json, type RecordedEvent, type RunId, type StepCommand, type TaskPath, type TaskTransitioned,
} from '@foldwork/events';
import { foldRun, type RunState } from '@foldwork/domain';
import { announceCommits, createLogger, createPool } from '@foldwork/platform';
import { createTestDatabase, runIdAt, type TestDatabase } from '@foldwork/testing';
import { PlannerRuntime, type PlannerDependencies, type PlannerSettings } from '../src';

const NAMESPACE = 'default';
export type Line = Readonly<Record<string, unknown>>;

/** Planners on a real log and agenda; the test plays the executors. */
export class PlannerWorld {
  readonly bus = new EmbeddedBus();
  readonly lines: Line[] = [];
  readonly commands: StepCommand[] = [];
  readonly executors: Membership;
  private readonly definitions = new InMemoryDefinitionStore();
  private readonly planners: PlannerRuntime[] = [];

  private constructor(
    private readonly database: TestDatabase,
    readonly log: EventLog,
    readonly pool: Pool,
  ) {
    this.executors = new Membership(pool, 'executor');
  }

  static async open(): Promise<PlannerWorld> {
    const database = await createTestDatabase({ migrations: logMigrations });
    const world = new PlannerWorld(database, createPostgresEventLog({ connectionString: database.url }), createPool({ databaseUrl: database.url, maximum: 6, applicationName: 'test' }));
    announceCommits(world.log, world.bus);
    await world.bus.consumeSteps('default', 1_000, (delivery) => {
      world.commands.push(parseJson(delivery.payload) as unknown as StepCommand); // made by a planner
      delivery.ack();
    });
    await world.executors.join('worker', 600_000);
    return world;
  }

  async close(): Promise<void> {
    for (const planner of this.planners) await planner.stop();
    await this.bus.close();
    await Promise.all([this.log.close(), this.pool.end()]);
    await this.database.drop();
  }

  async start(settings: Partial<PlannerSettings> = {}, more: Partial<PlannerDependencies> = {}): Promise<PlannerRuntime> {
    const planner = this.planner(settings, more);
    await planner.start();
    return planner;
  }

  planner(settings: Partial<PlannerSettings> = {}, more: Partial<PlannerDependencies> = {}): PlannerRuntime {
    const planner = new PlannerRuntime({
      log: this.log, bus: this.bus, pool: this.pool, definitions: this.definitions,
      logger: createLogger({ app: 'test', level: 'info', destination: { write: (line) => void this.lines.push(JSON.parse(line) as Line) } }),
      settings: { name: 'planner', leaseMs: 60_000, cacheRuns: 1_000, quarantineMs: 0, ...settings },
      ...more,
    });
    this.planners.push(planner);
    return planner;
  }

  /** Stores a definition; its tasks call the action `work` unless they say otherwise. */
  async define(tasks: readonly object[], more: object = {}): Promise<DefinitionHash> {
    const hash = randomBytes(32).toString('hex') as DefinitionHash;
    await this.definitions.put(NAMESPACE, hash, stringifyJson({ workflow: 'test', tasks: tasks.map((task) => ({ type: 'basic', action: 'work', ...task })), ...more }));
    return hash;
  }

  async request(tasks: readonly object[] | DefinitionHash, retry = { delayMs: 0, maximum: 0 }): Promise<RunId> {
    const definition = typeof tasks === 'string' ? tasks : await this.define(tasks);
    const runId = runIdAt(Date.now());
    const data = { workflow: 'test', definition, input: {} as Json, at: Date.now(), retry };
    await this.append(runId, { task: RUN_STREAM, version: 1, decide: true }, { type: 'RunRequested', data });
    return runId;
  }

  async append(runId: RunId, { task, version, decide }: { task: TaskPath; version: number; decide: boolean }, event: DomainEvent): Promise<string> {
    return (await this.log.append([newEvent({ runId, namespace: NAMESPACE, metadata: { actor: 'test' } }, task, version, event, decide)])).status;
  }

  /** Claims a task as an executor does. */
  claim(runId: RunId, path: string, { version = 0, executor = 'worker#1' }: { version?: number; executor?: string } = {}): Promise<string> {
    const data: TaskTransitioned = { transition: 'begin', from: 'pending', to: 'in_progress', attempt: 1, at: Date.now(), executor };
    return this.append(runId, { task: path as TaskPath, version: version + 1, decide: false }, { type: 'TaskTransitioned', data });
  }

  /** Ends a claimed task as an executor does. */
  complete(runId: RunId, path: string, version = 1, more: Partial<TaskTransitioned> = {}): Promise<string> {
    const data: TaskTransitioned = { transition: 'complete', from: 'in_progress', to: 'completed', attempt: 1, at: Date.now(), executor: 'worker#1', output: null, ...more };
    return this.append(runId, { task: path as TaskPath, version: version + 1, decide: true }, { type: 'TaskTransitioned', data });
  }

  commandsOf(runId: RunId): StepCommand[] {
    return this.commands.filter((command) => command.runId === runId);
  }

  async events(runId: RunId): Promise<(RecordedEvent & { readonly opened: DomainEvent })[]> {
    return (await this.log.readRuns([runId])).map((event) => ({ ...event, opened: openEvent(event) }));
  }

  async run(runId: RunId): Promise<RunState> {
    const run = foldRun(await this.log.readRuns([runId]));
    if (run === undefined) throw new Error(`no run ${runId}`);
    return run;
  }

  async agendaRows(): Promise<{ run_id: string; wake_at: string | null; in_flight: boolean }[]> {
    return (await this.pool.query('SELECT run_id, wake_at, in_flight FROM agenda ORDER BY run_id')).rows as never;
  }

  linesOf(event: string): Line[] {
    return this.lines.filter((line) => line['event'] === event);
  }

  async until(condition: () => boolean | Promise<boolean>, what: string, limitMs = 10_000): Promise<void> {
    for (const deadline = Date.now() + limitMs; !(await condition()); await sleep(5)) if (Date.now() > deadline) throw new Error(`waited in vain: ${what}`);
  }

  /** Claims and completes whatever it is asked for, until the run has ended. */
  async work(runId: RunId): Promise<void> {
    for (const done = new Set<string>(); ; ) {
      const run = await this.run(runId);
      if (run.status === 'succeeded') return;
      for (const { path, version } of this.commandsOf(runId).flatMap(({ segments }) => segments.flat())) {
        if (done.has(path)) continue;
        done.add(path);
        await this.claim(runId, path, { version });
        await this.complete(runId, path, version + 1);
      }
      await sleep(5);
    }
  }
}
