import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Pool } from 'pg';
import { ActionRegistry, coreActions, type Action } from '@foldwork/actions';
import {
  createPostgresEventLog, EmbeddedBus, InMemoryDefinitionStore, logMigrations, newEvent, openEvent, RUN_STREAM, stringifyJson,
  type DefinitionHash, type DomainEvent, type EventLog, type Json, type NewEvent, type RunId, type StepCommand, type TaskPath,
} from '@foldwork/events';
import { decideOperatorCommand, decideRun, foldRun, lookAtEverything, stepCommands, type Definition, type RunState, type TaskState } from '@foldwork/domain';
import { createLogger, createPool, DefinitionCache, type Logger } from '@foldwork/platform';
import { createTestDatabase, runIdAt, type TestDatabase } from '@foldwork/testing';
import { Executor, type ExecutorDependencies, type ExecutorSettings } from '../src';

const NAMESPACE = 'default';
const METADATA = { actor: 'test' };

export type Line = Readonly<Record<string, unknown>>;

/** Executors on a real log, with a planner that decides only when the test says so. */
export class ExecutorWorld {
  readonly bus = new EmbeddedBus();
  readonly lines: Line[] = [];
  readonly definitions = new InMemoryDefinitionStore();
  readonly lost = new Set<string>();
  private readonly executors: Executor[] = [];

  private constructor(
    private readonly database: TestDatabase,
    readonly log: EventLog,
    readonly pool: Pool,
  ) {}

  static async open(): Promise<ExecutorWorld> {
    const database = await createTestDatabase({ migrations: logMigrations });
    return new ExecutorWorld(database, createPostgresEventLog({ connectionString: database.url }), createPool({ databaseUrl: database.url, maximum: 4, applicationName: 'test' }));
  }

  async close(): Promise<void> {
    for (const executor of this.executors) await executor.stop();
    await this.bus.close();
    await Promise.all([this.log.close(), this.pool.end()]);
    await this.database.drop();
  }

  /** A second way into the same log. */
  otherReader(): EventLog {
    return createPostgresEventLog({ connectionString: this.database.url });
  }

  logger(): Logger {
    return createLogger({ app: 'test', level: 'info', destination: { write: (line) => void this.lines.push(JSON.parse(line) as Line) } });
  }

  /** Starts an executor; without `consumes` the test hands it its deliveries. */
  async start(actions: readonly Action<never>[], settings: Partial<ExecutorSettings> = {}, more: Partial<ExecutorDependencies> & { consumes?: boolean } = {}): Promise<Executor> {
    const registry = new ActionRegistry();
    for (const action of [...coreActions, ...actions]) registry.register(action);
    const { consumes = true, ...dependencies } = more;
    const executor = new Executor({
      log: this.log, bus: this.bus, pool: this.pool, definitions: new DefinitionCache(this.definitions), actions: registry, logger: this.logger(),
      settings: { name: 'worker', leaseMs: 60_000, concurrency: 10, stopMs: 5_000, ...settings },
      ...dependencies,
    });
    await executor.start();
    this.executors.push(executor);
    if (consumes) await this.bus.consumeSteps('default', settings.concurrency ?? 10, (delivery) => void executor.handle(delivery));
    return executor;
  }

  /** Requests a run of these tasks; `more` are further fields of the document. */
  async request(tasks: readonly object[], input: Json = {}, more: object = {}): Promise<RunId> {
    const hash = randomBytes(32).toString('hex') as DefinitionHash;
    const definition = { workflow: 'test', ...more, tasks: tasks.map((task) => ({ type: 'basic', ...task })) } as unknown as Definition; // the tests write what the checks would accept
    await this.definitions.put(NAMESPACE, hash, stringifyJson(definition));
    const runId = runIdAt(Date.now());
    const data = { workflow: 'test', definition: hash, input, at: Date.now(), retry: { delayMs: 0, maximum: 0 } };
    await this.log.append([newEvent({ runId, namespace: NAMESPACE, metadata: METADATA }, RUN_STREAM, 1, { type: 'RunRequested', data }, true)]);
    return runId;
  }

  /** Decides once and returns the commands; with `send` they go to the bus. */
  async decide(runId: RunId, { send = true, now = Date.now() }: { send?: boolean; now?: number } = {}): Promise<readonly StepCommand[]> {
    const { events, commands } = await this.decideOnly(runId, now);
    if (events.length > 0 && (await this.log.append(events)).status === 'conflict') throw new Error('the test decided on an old state');
    if (send) for (const command of commands) await this.bus.publishStep(command.pool, command.runId, stringifyJson(command));
    return commands;
  }

  /** What would be appended and sent. */
  async decideOnly(runId: RunId, now = Date.now()): Promise<{ readonly events: readonly NewEvent[]; readonly commands: readonly StepCommand[] }> {
    const run = await this.run(runId);
    const definition = await new DefinitionCache(this.definitions).get(NAMESPACE, run.definition);
    lookAtEverything(run);
    const decision = decideRun(run, definition, { now, metadata: METADATA, isLost: (executor) => this.lost.has(executor), quarantineMs: 0 });
    return { events: decision.events, commands: stepCommands(run, definition, decision, await this.log.epoch()) };
  }

  /** What an operator does; resolves to the version of the run's stream afterwards. */
  async operate(runId: RunId, kind: 'pause' | 'resume' | 'cancel'): Promise<number> {
    const run = await this.run(runId);
    const decision = decideOperatorCommand(run, { kind }, { now: Date.now(), metadata: METADATA });
    if (!decision.accepted) throw new Error(decision.detail);
    await this.log.append(decision.events);
    return run.version;
  }

  /** Decides, as often as needed, until the run has ended. Retries are due at once. */
  async finish(runId: RunId): Promise<RunState> {
    for (let rounds = 0; rounds < 50; rounds += 1) {
      const run = await this.run(runId);
      if (run.endedAt !== undefined && run.status !== 'running') return run;
      if (run.executing.size === 0) await this.decide(runId, { now: Date.now() + 3_600_000 });
      await this.until(async () => (await this.run(runId)).executing.size === 0, 'no task in hand');
      await sleep(10);
    }
    throw new Error('the run does not end');
  }

  async run(runId: RunId, log = this.log): Promise<RunState> {
    const run = foldRun(await log.readRuns([runId]));
    if (run === undefined) throw new Error(`no run ${runId}`);
    return run;
  }

  async task(runId: RunId, path: string, log = this.log): Promise<TaskState> {
    const task = (await this.run(runId, log)).tasks.get(path as TaskPath);
    if (task === undefined) throw new Error(`no task ${path}`);
    return task;
  }

  async events(runId: RunId, path?: string): Promise<DomainEvent[]> {
    return (await this.log.readRuns([runId])).filter(({ task }) => path === undefined || task === path).map(openEvent);
  }

  linesOf(event: string): Line[] {
    return this.lines.filter((line) => line['event'] === event);
  }

  async until(condition: () => boolean | Promise<boolean>, what: string, limitMs = 10_000): Promise<void> {
    for (const deadline = Date.now() + limitMs; !(await condition()); await sleep(10)) if (Date.now() > deadline) throw new Error(`waited in vain: ${what}`);
  }
}

/** A task's action that the test can hold and let go. */
export class Gate {
  private readonly opened = Promise.withResolvers<void>();
  private readonly reached = Promise.withResolvers<void>();

  open(): void {
    this.opened.resolve();
  }

  /** Resolves when somebody stands at the gate. */
  get arrival(): Promise<void> {
    return this.reached.promise;
  }

  async pass(): Promise<void> {
    this.reached.resolve();
    await this.opened.promise;
  }
}

/** Actions as `defineAction` gives them, in a list of mixed inputs. */
export const actionList = (...actions: readonly Action<Json>[]): readonly Action<never>[] => actions as unknown as readonly Action<never>[];
