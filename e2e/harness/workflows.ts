import type { RunDetail, TaskAnswer } from './api';
import type { System } from './system';
import { until } from './until';

interface Fault {
  readonly code: string;
  readonly message: string;
  readonly line?: number;
}

/** What a user does: publishes a workflow written as YAML, requests runs of it, and looks at them. */
export class Workflows {
  constructor(private readonly system: System) {}

  /** PUT; resolves to the workflow's name. Rejects when it is refused. */
  async publish(yaml: string): Promise<string> {
    const faults = await this.faultsOf(yaml);
    if (faults.length > 0) throw new Error(`not published: ${JSON.stringify(faults)}`);
    return nameOf(yaml);
  }

  /** PUT of a definition that must be refused; resolves to what is wrong with it, empty when nothing is. */
  async faultsOf(yaml: string): Promise<readonly Fault[]> {
    const { status, body } = await this.system.api.call('PUT', `/orchestrator/workflows/${nameOf(yaml)}`, yaml, { 'content-type': 'application/yaml' });
    if (status === 201 || status === 200) return [];
    if (status !== 422) throw new Error(`PUT of a workflow: ${status} ${JSON.stringify(body)}`);
    return (body as { faults: Fault[] }).faults;
  }

  /** PUT and POST; resolves to the run's id. */
  async start(yaml: string, input: object = {}): Promise<string> {
    return this.request(await this.publish(yaml), input);
  }

  async request(workflow: string, input: object = {}): Promise<string> {
    const { status, body } = await this.system.api.call('POST', '/orchestrator/runs', { workflow, input });
    if (status !== 202) throw new Error(`the run was not accepted: ${status} ${JSON.stringify(body)}`);
    return (body as { runId: string }).runId;
  }

  /** PUT, POST, and the run when it has ended, however it has. */
  async play(yaml: string, input: object = {}): Promise<RunDetail> {
    return this.ended(await this.start(yaml, input));
  }

  ended(run: string): Promise<RunDetail> {
    return this.seen(run, `${run} to end`, ({ status }) => !['pending', 'running', 'rolling_back'].includes(status));
  }

  /** The run when a task of it stands so. */
  taskIs(run: string, path: string, status: string): Promise<RunDetail> {
    return this.seen(run, `${path} of ${run} to be ${status}`, (detail) => taskOf(detail, path)?.status === status);
  }

  async seen(run: string, what: string, isSo: (detail: RunDetail) => boolean): Promise<RunDetail> {
    let last: RunDetail | undefined;
    try {
      return await until(what, async () => {
        last = await this.system.api.detail(run);
        return isSo(last) && last;
      });
    } catch (cause) {
      const complaints = [...this.system.services.values()].map((service) => service.complaints).join('');
      throw new Error(`${what}: last seen ${last?.status}, ${last?.waitingFor} ${JSON.stringify(last && statusesOf(last))}\n${complaints}`, { cause });
    }
  }

  /** Paths of the tasks that called the outside world, in order. */
  callsOf(run: string): string[] {
    return this.system.world.callsOf(run).map(({ task }) => task);
  }

  /** Resolves when the run has called the outside world so often. */
  called(run: string, count: number): Promise<void> {
    return this.system.world.when(() => this.system.world.callsOf(run).length === count);
  }

  /** The newest run of a workflow that something else started; another than this one. */
  runOf(workflow: string, other = ''): Promise<string> {
    return until(`a run of ${workflow}`, async () => {
      const { body } = await this.system.api.call('GET', `/orchestrator/runs?workflow=${workflow}&limit=100`);
      return (body as { runs: { runId: string }[] }).runs.find(({ runId }) => runId !== other)?.runId;
    });
  }

  signal(run: string, signal: string, more: object = {}): Promise<{ readonly status: number; readonly body: unknown }> {
    return this.system.api.command(run, 'signals', { signal, ...more });
  }
}

export const taskOf = (detail: RunDetail, path: string): TaskAnswer | undefined => detail.tasks.find((each) => each.path === path);

export const statusesOf = ({ tasks }: RunDetail): Record<string, string> => Object.fromEntries(tasks.map(({ path, status }) => [path, status]));

const nameOf = (yaml: string): string => /^\s*workflow: (\S+)$/m.exec(yaml)?.[1] ?? '';
