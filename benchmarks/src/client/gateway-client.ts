import { parseRunId, type Json, type RunId } from '@foldwork/events';
import { KeepAliveConnection, postRequest, type HttpAnswer } from './keep-alive-connection';

const CONNECTIONS = 64;

/** Speaks REST to the gateway over kept connections, as a backend that uses Foldwork would. */
export class GatewayClient {
  private readonly idle: KeepAliveConnection[] = [];
  private readonly waiting: ((connection: KeepAliveConnection) => void)[] = [];

  private constructor(private readonly url: URL, private readonly connections: readonly KeepAliveConnection[]) {
    this.idle.push(...connections);
  }

  static async open(url: string): Promise<GatewayClient> {
    const { hostname, port } = new URL(url);
    const connections = Array.from({ length: CONNECTIONS }, () => new KeepAliveConnection(hostname, Number(port)));
    await Promise.all(connections.map((connection) => connection.connect()));
    return new GatewayClient(new URL(url), connections);
  }

  /** Resolves when the gateway has answered 202: from then on the run cannot be lost. */
  async submit(workflow: string, input: Json = {}): Promise<RunId> {
    const request = postRequest(this.url.host, '/orchestrator/runs', JSON.stringify({ workflow, input }));
    const { status, body } = await this.send(request);
    if (status !== 202) throw new Error(`the gateway answered ${status} to a run of ${workflow}: ${body}`);
    return requireRunId((JSON.parse(body) as { runId: string }).runId);
  }

  /** The same of many, so many to a request; all requests at once. */
  async submitAll(workflow: string, count: number, runsPerRequest: number): Promise<RunId[]> {
    const sizes = Array.from({ length: Math.ceil(count / runsPerRequest) }, (_, index) => Math.min(runsPerRequest, count - index * runsPerRequest));
    return (await Promise.all(sizes.map((size) => this.submitBatch(workflow, size)))).flat();
  }

  private async submitBatch(workflow: string, size: number): Promise<RunId[]> {
    const runs = Array(size).fill({ workflow, input: {} });
    const { status, body } = await this.send(postRequest(this.url.host, '/orchestrator/runs/batch', JSON.stringify({ runs })));
    if (status !== 202) throw new Error(`the gateway answered ${status} to ${size} runs of ${workflow}: ${body}`);
    return (JSON.parse(body) as { results: { runId: string }[] }).results.map(({ runId }) => requireRunId(runId));
  }

  async publish(name: string, definition: object): Promise<void> {
    const answer = await fetch(new URL(`/orchestrator/workflows/${name}`, this.url), {
      method: 'PUT', headers: { 'content-type': 'application/json' }, body: JSON.stringify(definition),
    });
    if (!answer.ok) throw new Error(`the gateway answered ${answer.status} to ${name}: ${await answer.text()}`);
  }

  close(): void {
    for (const connection of this.connections) connection.close();
  }

  private async send(request: Buffer): Promise<HttpAnswer> {
    const connection = this.idle.pop() ?? (await new Promise<KeepAliveConnection>((resolve) => this.waiting.push(resolve)));
    try {
      return await connection.send(request);
    } finally {
      const next = this.waiting.shift();
      if (next === undefined) this.idle.push(connection);
      else next(connection);
    }
  }
}

const requireRunId = (text: string): RunId => {
  const runId = parseRunId(text);
  if (runId === undefined) throw new Error(`the gateway answered ${text} for a run's id`);
  return runId;
};
