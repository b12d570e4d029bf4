import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { formatRunId, openEvent, type EventLog, type RecordedEvent, type TaskPath } from '@foldwork/events';
import { Client } from 'pg';
import { WORKSPACE } from './service';
import type { System } from './system';
import { until } from './until';

const run = promisify(execFile);

/** One attempt of one task, as the log tells it. */
interface AttemptInLog {
  readonly run: string;
  readonly task: string;
  readonly attempt: number;
  readonly executor: string | undefined;
  ended: string | undefined;
}

/** Everything that the log says, in order, opened. */
export class LogAccount {
  readonly attempts: AttemptInLog[] = [];
  /** What is wrong with the log as such; empty when all is well. */
  readonly faults: string[] = [];
  private readonly versions = new Map<string, number>();
  private readonly completed = new Set<string>();
  private readonly runs = new Map<string, string>();

  constructor(readonly events: readonly RecordedEvent[]) {
    events.forEach((event, index) => {
      if (event.position !== index + 1) this.faults.push(`position ${event.position} stands at place ${index + 1}`);
      this.take(event);
    });
  }

  static async read(log: EventLog): Promise<LogAccount> {
    const events: RecordedEvent[] = [];
    for (;;) {
      const next = await log.readAfter(events.length, 5_000);
      if (next.length === 0) return new LogAccount(events);
      events.push(...next);
    }
  }

  /** Runs that were accepted and have not come to an end. */
  get unfinished(): string[] {
    return [...this.runs].filter(([, last]) => !/^(RunCompleted|RunCanceled|RunRolledBack|RunFailed final)$/.test(last)).map(([id, last]) => `${id}: ${last}`);
  }

  /** Attempts that were begun and never settled. */
  get openAttempts(): AttemptInLog[] {
    return this.attempts.filter(({ ended }) => ended === undefined);
  }

  attemptsOf(runId: string, task?: string): AttemptInLog[] {
    return this.attempts.filter((each) => each.run === runId && (task === undefined || each.task === task));
  }

  private take(event: RecordedEvent): void {
    const stream = `${event.runId} ${event.task}`;
    const version = (this.versions.get(stream) ?? 0) + 1;
    if (event.version !== version) this.faults.push(`${stream}: version ${event.version} where ${version} was due`);
    this.versions.set(stream, version);
    const opened = openEvent(event);
    const id = formatRunId(event.runId);
    if (opened.type === 'RunFailed') this.runs.set(id, opened.data.retryAt === undefined ? 'RunFailed final' : 'RunFailed');
    else if (event.task === '' && opened.type !== 'WorkflowPublished') this.runs.set(id, opened.type);
    if (opened.type !== 'TaskTransitioned') return;
    const { data } = opened;
    if (data.to === 'in_progress') this.begin(id, event.task, data.attempt, data.executor);
    else if (data.from === 'in_progress') this.end(id, event.task, data.attempt, data.to);
    if (data.starts !== undefined) this.begin(id, data.starts.task, data.starts.attempt, data.executor);
  }

  private begin(id: string, task: TaskPath, attempt: number, executor: string | undefined): void {
    const key = `${id} ${task}`;
    if (this.completed.has(key)) this.faults.push(`${key} is begun again after it was completed`);
    if (this.attemptsOf(id, task).some((each) => each.attempt >= attempt)) this.faults.push(`${key} begins attempt ${attempt} twice`);
    if (this.attemptsOf(id, task).some(({ ended }) => ended === undefined)) this.faults.push(`${key} begins attempt ${attempt} while another is open`);
    this.attempts.push({ run: id, task, attempt, executor, ended: undefined });
  }

  private end(id: string, task: TaskPath, attempt: number, to: string): void {
    const key = `${id} ${task}`;
    const found = this.attemptsOf(id, task).find((each) => each.attempt === attempt);
    if (found === undefined || found.ended !== undefined) this.faults.push(`${key} ends attempt ${attempt} that is not open`);
    else found.ended = to;
    if (to === 'completed') this.completed.add(key);
  }
}

/**
 * What must be true whatever happened, once all runs have come to an end: the log is contiguous and its chain intact, no
 * completed task ran again, every execution in the outside world belongs to one attempt in the log, no `once` effect took
 * place twice, and the read models equal those made anew from the log. Returns what is wrong, in words.
 */
export const faultsAfterwards = async (system: System, onceTasks: readonly string[] = []): Promise<string[]> => {
  const account = await LogAccount.read(system.log);
  return [
    ...account.faults,
    ...account.unfinished.map((each) => `not finished: ${each}`),
    ...account.openAttempts.map((each) => `never settled: ${each.run} ${each.task} attempt ${each.attempt}`),
    ...unaccountedCalls(system, account),
    ...repeatedEffects(system, onceTasks),
    ...(await chainFaults(system)),
    ...(await projectionFaults(system, account.events.length)),
  ];
};

/** Each call of the world is one attempt of the log, and no attempt called twice. */
const unaccountedCalls = ({ world }: System, account: LogAccount): string[] => {
  const attempts = new Set(account.attempts.map(({ run: id, task, attempt }) => `${id} ${task} ${attempt}`));
  const seen = new Set<string>();
  return world.calls.flatMap(({ run: id, task, attempt }) => {
    const key = `${id} ${task} ${attempt}`;
    const fault = seen.has(key) ? [`executed twice: ${key}`] : attempts.has(key) ? [] : [`executed without an attempt in the log: ${key}`];
    seen.add(key);
    return fault;
  });
};

const repeatedEffects = ({ world }: System, onceTasks: readonly string[]): string[] => {
  const seen = new Set<string>();
  return world.effects.filter(({ task }) => onceTasks.includes(task)).flatMap(({ run: id, task }) => {
    const key = `${id} ${task}`;
    const isRepeated = seen.has(key);
    seen.add(key);
    return isRepeated ? [`a once effect took place twice: ${key}`] : [];
  });
};

const tool = async (system: System, file: string): Promise<{ code: number; output: string }> => {
  const env = { PATH: process.env['PATH'], FOLDWORK_DATABASE_URL: system.databaseUrl };
  try {
    const { stdout } = await run(process.execPath, [join(WORKSPACE, file)], { env });
    return { code: 0, output: stdout };
  } catch (error) {
    const { stdout, stderr } = error as { stdout: string; stderr: string }; // what execFile rejects with
    return { code: 1, output: stdout + stderr };
  }
};

const chainFaults = async (system: System): Promise<string[]> => {
  const { code, output } = await tool(system, 'dist/apps/auditor/src/verify.main.js');
  return code === 0 ? [] : [`the log's integrity: ${output}`];
};

/** Waits for the projection, then has the read models made anew and compares. */
const projectionFaults = async (system: System, head: number): Promise<string[]> => {
  const client = new Client({ connectionString: system.databaseUrl });
  await client.connect();
  try {
    await until('the projection reaches the end of the log', async () => {
      const { rows } = await client.query<{ position: string }>("SELECT position FROM public.checkpoints WHERE name = 'auditor'");
      return Number(rows[0]?.position ?? 0) >= head;
    });
    const before = await readModels(client);
    const { code, output } = await tool(system, 'dist/apps/auditor/src/rebuild.main.js');
    if (code !== 0) return [`the rebuild: ${output}`];
    return before === (await readModels(client)) ? [] : ['the read models differ from those made anew'];
  } finally {
    await client.end();
  }
};

const readModels = async (client: Client): Promise<string> => {
  const runs = await client.query('SELECT * FROM read_models.runs ORDER BY run_id');
  const workflows = await client.query('SELECT * FROM read_models.workflows ORDER BY namespace, name');
  return JSON.stringify([runs.rows, workflows.rows]);
};
