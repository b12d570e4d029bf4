import { until } from './until';

export interface RunAnswer {
  readonly runId: string;
  readonly status: string;
  readonly version: number;
  readonly attempt: number;
  readonly output?: unknown;
  readonly error?: { readonly code: string; readonly message: string };
  readonly taskCounts: Readonly<Record<string, number>>;
  readonly [field: string]: unknown;
}

export interface TaskAnswer {
  readonly id: string;
  readonly path: string;
  readonly status: string;
  readonly attempt: number;
  readonly startedAt?: string;
  readonly finishedAt?: string;
  readonly output?: unknown;
  readonly sideEffects?: Readonly<Record<string, unknown>>;
  readonly error?: { readonly code: string; readonly message: string };
  readonly attempts: readonly { readonly attempt: number; readonly status: string; readonly executor?: string }[];
}

export interface RunDetail extends RunAnswer {
  readonly plan: readonly { readonly id: string; readonly stepOrder: number }[];
  readonly tasks: readonly TaskAnswer[];
  readonly waitingFor: string | null;
}

export interface EventAnswer {
  readonly position: number;
  readonly type: string;
  readonly task: string;
  readonly data: Readonly<Record<string, unknown>>;
  readonly [field: string]: unknown;
}

export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly body: unknown;
}

/** The status that a run can only leave because somebody asks. */
const ENDED = ['succeeded', 'failed', 'canceled', 'escalated', 'rolled_back'];

/** What people and programs see of the system: REST. */
export class Api {
  constructor(readonly url: string) {}

  /** A text goes out as it is, anything else as JSON. */
  async call(method: string, path: string, body?: unknown, headers: Readonly<Record<string, string>> = {}): Promise<Answer> {
    const response = await fetch(`${this.url}${path}`, {
      method,
      headers: { ...(body !== undefined && { 'content-type': 'application/json' }), ...headers },
      ...(body !== undefined && { body: typeof body === 'string' ? body : JSON.stringify(body) }),
      signal: AbortSignal.timeout(20_000),
    });
    const text = await response.text();
    return { status: response.status, headers: response.headers, body: text === '' ? undefined : JSON.parse(text) };
  }

  /** Submits and expects 202, or 200 for a repeated key; resolves to the run's id. */
  async submit(definition: object, input: object = {}, key?: string): Promise<string> {
    const answer = await this.call('POST', '/orchestrator/runs', { definition, input }, key === undefined ? {} : { 'idempotency-key': key });
    if (answer.status !== 202 && answer.status !== 200) throw new Error(`the run was not accepted: ${answer.status} ${JSON.stringify(answer.body)}`);
    return (answer.body as RunAnswer).runId;
  }

  /** Goes on until the gateway accepts it: for submitting through an outage, with a key. */
  submitPatiently(definition: object, key: string, limitMs = 30_000): Promise<string> {
    return until(`acceptance of ${key}`, () => this.submit(definition, {}, key).catch(() => undefined), limitMs);
  }

  async detail(run: string): Promise<RunDetail> {
    const answer = await this.call('GET', `/orchestrator/runs/${run}`);
    if (answer.status !== 200) throw new Error(`${run}: ${answer.status} ${JSON.stringify(answer.body)}`);
    return answer.body as RunDetail;
  }

  async events(run: string): Promise<EventAnswer[]> {
    const { body } = await this.call('GET', `/orchestrator/runs/${run}/events`);
    return (body as { events: EventAnswer[] }).events;
  }

  command(run: string, command: string, body: object = {}): Promise<Answer> {
    return this.call('POST', `/orchestrator/runs/${run}/${command}`, body);
  }

  /** Resolves when the run has the status; rejects when it has ended with another. Outages of the gateway are waited out. */
  async reached(run: string, status: string, limitMs = 20_000): Promise<RunDetail> {
    let last = 'nothing';
    return until(`${run} ${status}`, async () => {
      const detail = await this.detail(run).catch(() => undefined);
      if (detail === undefined) return undefined;
      if (detail.status === status) return detail;
      last = `${detail.status} ${JSON.stringify(detail.error ?? detail.waitingFor)}`;
      if (ENDED.includes(detail.status) && detail['retryAt'] === undefined) throw new Error(`${run} ended as ${last} instead of ${status}`);
      return undefined;
    }, limitMs).catch((error: Error) => {
      throw new Error(`${error.message} (last seen: ${last})`);
    });
  }

  succeeded(run: string, limitMs?: number): Promise<RunDetail> {
    return this.reached(run, 'succeeded', limitMs);
  }
}
