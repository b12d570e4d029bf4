import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';

/** What a task's input may ask of the world. Counts are per run and task. */
export interface WorldInput {
  /** The first n calls are answered with an error, before anything takes place. */
  readonly failFirst?: number;
  /** The first n calls take effect, then the connection is cut instead of an answer. */
  readonly dropFirst?: number;
  /** A gate: the call takes effect, then waits for `open(gate)` before it is answered. */
  readonly gate?: string;
  /** The effect takes place only after the gate was opened. */
  readonly gateBefore?: string;
  readonly delayMs?: number;
  /** Nobody can say whether the effect took place. */
  readonly unknowable?: boolean;
  readonly output?: object;
}

export interface WorldCall {
  /** `run_…` */
  readonly run: string;
  readonly task: string;
  readonly attempt: number;
  readonly key: string;
  readonly input: WorldInput;
  readonly traceparent: string | undefined;
  readonly at: number;
  /** The caller went away before it had its answer. */
  aborted: boolean;
}

/** An outside world that lives in the test process: it counts what really happened, whatever is killed around it. */
export class World {
  readonly calls: WorldCall[] = [];
  /** One entry per effect that took place. */
  readonly effects: { readonly run: string; readonly task: string; readonly key: string }[] = [];
  /** How often `verify` asked. */
  readonly questions: { readonly run: string; readonly task: string }[] = [];
  url = '';
  private readonly underWay = new Map<string, { now: number; most: number }>();
  private readonly open = new Set<string>();
  private readonly waiting = new Map<string, (() => void)[]>();
  private readonly listeners = new Set<() => void>();
  private readonly server = createServer((request, response) => void this.serve(request, response));

  static async start(): Promise<World> {
    const world = new World();
    world.server.listen(0, '127.0.0.1');
    await once(world.server, 'listening');
    const address = world.server.address();
    world.url = `http://127.0.0.1:${typeof address === 'object' && address !== null ? address.port : 0}`;
    return world;
  }

  async close(): Promise<void> {
    this.server.closeAllConnections();
    this.server.close();
    await once(this.server, 'close');
  }

  callsOf(run: string, task?: string): WorldCall[] {
    return this.calls.filter((call) => call.run === run && (task === undefined || call.task === task));
  }

  /** How many calls of a run were under way at the same time, at most. */
  mostAtOnce(run: string): number {
    return this.underWay.get(run)?.most ?? 0;
  }

  openGate(gate: string): void {
    this.open.add(gate);
    for (const go of this.waiting.get(gate) ?? []) go();
    this.waiting.delete(gate);
  }

  /** Resolves when the condition holds; looked at after each call. */
  async when(condition: () => boolean, limitMs = 15_000): Promise<void> {
    if (condition()) return;
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const look = (): void => {
      if (condition()) resolve();
    };
    const timer = setTimeout(() => reject(new Error('what the test waits for did not happen in the outside world')), limitMs);
    this.listeners.add(look);
    await promise.finally(() => {
      clearTimeout(timer);
      this.listeners.delete(look);
    });
  }

  private async serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url ?? '/', this.url);
    if (request.method === 'GET') return this.answerQuestion(url, response);
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const said = JSON.parse(Buffer.concat(chunks).toString()) as Pick<WorldCall, 'run' | 'task' | 'attempt' | 'key' | 'input'>; // by world-actions.mjs
    await this.takeCall({ ...said, traceparent: request.headersDistinct['traceparent']?.[0], at: Date.now(), aborted: false }, response);
  }

  private async takeCall(call: WorldCall, response: ServerResponse): Promise<void> {
    const { run, task, key, input } = call;
    this.calls.push(call);
    const ended = this.begun(run);
    response.on('close', () => {
      call.aborted = !response.writableFinished;
      ended();
      this.tell();
    });
    const number = this.callsOf(run, task).length;
    this.tell();
    if (number <= (input.failFirst ?? 0)) return send(response, 500, { code: 'WORLD_FAILED', error: `call ${number} of ${task} failed` });
    if (input.gateBefore !== undefined) await this.pass(input.gateBefore);
    if (call.aborted) return;
    this.effects.push({ run, task, key });
    if (number <= (input.failFirst ?? 0) + (input.dropFirst ?? 0)) return void response.socket?.destroy();
    if (input.gate !== undefined) await this.pass(input.gate);
    if (input.delayMs !== undefined) await new Promise((resolve) => setTimeout(resolve, input.delayMs));
    send(response, 200, { task, call: number, ...input.output });
  }

  private begun(run: string): () => void {
    const count = this.underWay.get(run) ?? { now: 0, most: 0 };
    this.underWay.set(run, count);
    count.now += 1;
    count.most = Math.max(count.most, count.now);
    return () => (count.now -= 1);
  }

  private answerQuestion(url: URL, response: ServerResponse): void {
    const run = url.searchParams.get('run') ?? '';
    const task = url.searchParams.get('task') ?? '';
    this.questions.push({ run, task });
    const [first] = this.callsOf(run, task);
    if (first?.input.unknowable === true) return send(response, 200, { applied: 'unknown' });
    const isApplied = this.effects.some((effect) => effect.run === run && effect.task === task);
    send(response, 200, isApplied ? { applied: true, output: { task, verified: true, ...first?.input.output } } : { applied: false });
    this.tell();
  }

  private async pass(gate: string): Promise<void> {
    if (this.open.has(gate)) return;
    await new Promise<void>((resolve) => this.waiting.set(gate, [...(this.waiting.get(gate) ?? []), resolve]));
  }

  private tell(): void {
    for (const listener of this.listeners) listener();
  }
}

const send = (response: ServerResponse, status: number, body: object): void => {
  if (response.destroyed) return;
  response.writeHead(status, { 'content-type': 'application/json' });
  response.end(JSON.stringify(body));
};
