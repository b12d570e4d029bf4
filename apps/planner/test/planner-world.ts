import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Pool } from 'pg';
import {
  createPostgresEventLog, EmbeddedBus, InMemoryDefinitionStore, Membership, newEvent, openEvent, parseJson, RUN_STREAM, stringifyJson,
  type DefinitionHash, type DomainEvent, type EventLog, type Json, type RecordedEvent, type RunId, type RunRequested, type StepCommand, type TaskPath, type TaskTransitioned,
} from '@foldwork/events';
import { decideOperatorCommand, foldRun, type OperatorCommand, type RunState } from '@foldwork/domain';
import { ALL_MIGRATIONS, announceCommits, createLogger, createPool, WorkflowRegistry } from '@foldwork/platform';
import { createTestDatabase, runIdAt, type TestDatabase } from '@foldwork/testing';
import { PlannerRuntime, type PlannerDependencies, type PlannerSettings } from '../src';

export type Line = Readonly<Record<string, unknown>>;

/** Planners on a real log and agenda; the test plays the executors. */
export class PlannerWorld {
  readonly bus = new EmbeddedBus();
  readonly lines: Line[] = [];
  readonly commands: StepCommand[] = [];
  /** Where the test acts. */
  namespace = 'default';
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
    const database = await createTestDatabase({ migrations: ALL_MIGRATIONS });
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
    await this.stopAll();
    await this.bus.close();
    await Promise.all([this.log.close(), this.pool.end()]);
    await this.database.drop();
  }

  async stopAll(): Promise<void> {
    for (const planner of this.planners.splice(0)) await planner.stop();
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
    await this.definitions.put(this.namespace, hash, stringifyJson({ workflow: 'test', tasks: tasks.map((task) => ({ type: 'basic', action: 'work', ...task })), ...more }));
    return hash;
  }

  /** Makes a workflow known by its name, for child runs and triggers. */
  async publish(workflow: string, tasks: readonly object[], more: { readonly triggers?: readonly { readonly signal: string }[]; readonly [field: string]: unknown } = {}): Promise<void> {
    const hash = await this.define(tasks, { workflow, ...more });
    const source = { namespace: this.namespace, name: workflow, metadata: { actor: 'test' } };
    await new WorkflowRegistry(this.log, Date.now).publish(source, hash, { labels: ['live'], triggers: more.triggers?.map(({ signal }) => signal) ?? [] });
  }

  async request(tasks: readonly object[] | DefinitionHash, retry = { delayMs: 0, maximum: 0 }, more: Partial<RunRequested> = {}): Promise<RunId> {
    const definition = typeof tasks === 'string' ? tasks : await this.define(tasks);
    const runId = runIdAt(Date.now());
    const data = { workflow: 'test', definition, input: {} as Json, at: Date.now(), retry, ...more };
    await this.append(runId, { task: RUN_STREAM, version: 1, decide: true }, { type: 'RunRequested', data });
    return runId;
  }

  async append(runId: RunId, { task, version, decide }: { task: TaskPath; version: number; decide: boolean }, event: DomainEvent): Promise<string> {
    return (await this.log.append([newEvent({ runId, namespace: this.namespace, metadata: { actor: 'test' } }, task, version, event, decide)])).status;
  }

  /** Claims a task as an executor does: with the plan, when the command has it. */
  async claim(runId: RunId, path: string, { version = 0, attempt = 1, executor = 'worker#1' }: { version?: number; attempt?: number; executor?: string } = {}): Promise<string> {
    const data: TaskTransitioned = { transition: 'begin', from: 'pending', to: 'in_progress', attempt, at: Date.now(), executor };
    const source = { runId, namespace: this.namespace, metadata: { actor: 'test' } };
    const begin = newEvent(source, path as TaskPath, version + 1, { type: 'TaskTransitioned', data }, false);
    const command = this.commandsOf(runId).findLast(({ segments }) => segments[0]?.[0]?.path === path && segments[0][0].version === version);
    return (await this.log.append([...(command?.plan ?? []), begin])).status;
  }

  /** Ends a claimed task as an executor does. */
  complete(runId: RunId, path: string, version = 1, more: Partial<TaskTransitioned> = {}): Promise<string> {
    const data: TaskTransitioned = { transition: 'complete', from: 'in_progress', to: 'completed', attempt: 1, at: Date.now(), executor: 'worker#1', output: null, ...more };
    return this.append(runId, { task: path as TaskPath, version: version + 1, decide: true }, { type: 'TaskTransitioned', data });
  }

  /** Asks what a person may ask of a run. */
  async command(runId: RunId, command: OperatorCommand): Promise<void> {
    const decision = decideOperatorCommand(await this.run(runId), command, { now: Date.now(), metadata: { actor: 'person' } });
    if (!decision.accepted) throw new Error(decision.detail);
    await this.log.append(decision.events);
  }

  /** Resolves to the run in that status. */
  async reached(runId: RunId, status: RunState['status'], limitMs?: number): Promise<RunState> {
    await this.until(async () => (await this.log.readRuns([runId])).length > 0 && (await this.run(runId)).status === status, `${runId} ${status}`, limitMs);
    return this.run(runId);
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
