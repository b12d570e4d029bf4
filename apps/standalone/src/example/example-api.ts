import { setTimeout as sleep } from 'node:timers/promises';
import { parseJson } from '@foldwork/events';

/** Where the standalone server answers; `url` ends with `/orchestrator`. */
export interface ExampleServer {
  readonly url: string;
  readonly key: string;
}

/** A run's detail as REST gives it, as far as examples look at it. */
export interface ExampleRun {
  readonly runId: string;
  readonly status: string;
  readonly output?: unknown;
  readonly requestedAt: string;
  readonly startedAt?: string;
  readonly finishedAt?: string;
  readonly waitingFor: string | null;
  readonly error?: { readonly code: string; readonly message: string };
  readonly tasks: readonly { readonly path: string; readonly status: string; readonly undo?: string; readonly output?: unknown }[];
}

export interface SignalBody {
  readonly signal: string;
  readonly payload?: unknown;
  readonly signalId?: string;
  readonly correlationId?: string;
}

const ENDED: ReadonlySet<string> = new Set(['succeeded', 'failed', 'rolled_back', 'canceled', 'escalated']);
const WAIT_LIMIT_MS = 60_000;
const POLL_MS = 30;

/** What an example does with the server: plain REST calls. Every method rejects with the answer when it is not a success. */
export class ExampleApi {
  /** Runs started here, with the name they go by in the timeline. */
  readonly started = new Map<string, string>();

  constructor(private readonly server: () => ExampleServer) {}

  /** Publishes a definition (YAML) under the name it gives itself. */
  async publish(text: string): Promise<void> {
    const name = /^workflow:\s*(\S+)/m.exec(text)?.[1] ?? '';
    await this.call('PUT', `/workflows/${name}`, text, 'application/yaml');
  }

  /** Resolves with the run's id. */
  async start(workflow: string, input: unknown, label = workflow): Promise<string> {
    const { runId } = (await this.call('POST', '/runs', JSON.stringify({ workflow, input }))) as { runId: string };
    this.started.set(runId, label);
    return runId;
  }

  detail(runId: string): Promise<ExampleRun> {
    return this.call('GET', `/runs/${runId}`) as Promise<unknown> as Promise<ExampleRun>;
  }

  /** Ids of the workflow's runs, newest first. */
  async runsOf(workflow: string): Promise<string[]> {
    const { runs } = (await this.call('GET', `/runs?workflow=${workflow}&limit=100`)) as { runs: { runId: string }[] };
    return runs.map(({ runId }) => runId);
  }

  /** To one run, or to all that wait and all workflows that it starts. */
  async signal(body: SignalBody, runId?: string): Promise<void> {
    await this.call('POST', runId === undefined ? '/signals' : `/runs/${runId}/signals`, JSON.stringify(body));
  }

  async resolve(runId: string, task: string, body: { as: 'completed' | 'failed'; output?: unknown; reason: string }): Promise<void> {
    await this.call('POST', `/runs/${runId}/tasks/${encodeURIComponent(task)}/resolve`, JSON.stringify(body));
  }

  /** The run when it has ended, one way or another. */
  ended(runId: string): Promise<ExampleRun> {
    return this.until(runId, 'to end', ({ status }) => ENDED.has(status));
  }

  /** The run when this task waits. */
  waiting(runId: string, task: string): Promise<ExampleRun> {
    return this.until(runId, `to wait at ${task}`, ({ tasks }) => tasks.some(({ path, status }) => path === task && status === 'waiting'));
  }

  async until(runId: string, what: string, isSo: (run: ExampleRun) => boolean): Promise<ExampleRun> {
    const deadline = Date.now() + WAIT_LIMIT_MS;
    for (;;) {
      const run = await this.detail(runId);
      if (isSo(run)) return run;
      if (Date.now() > deadline) throw new Error(`${runId} was expected ${what}; it is ${run.status}: ${run.waitingFor ?? run.error?.message ?? ''}`);
      await sleep(POLL_MS);
    }
  }

  async call(method: string, path: string, body?: string, contentType = 'application/json'): Promise<unknown> {
    const { url, key } = this.server();
    const headers = { authorization: `Bearer ${key}`, ...(body !== undefined && { 'content-type': contentType }) };
    const response = await fetch(`${url}${path}`, { method, headers, ...(body !== undefined && { body }) });
    if (!response.ok) throw new Error(`${method} ${path} answered ${response.status}: ${await response.text()}`);
    return parseJson(await response.text());
  }
}
