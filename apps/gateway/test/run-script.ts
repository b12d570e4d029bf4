import { decideRun, compileDefinition, foldRun, type Definition } from '@foldwork/domain';
import { newEvent, parseRunId, taskPath, type RunId, type TaskTransitioned } from '@foldwork/events';
import type { GatewayFixture } from './gateway-fixture';

/** What planner and executor would append, by hand: tests decide when. */
export class RunScript {
  readonly runId: RunId;
  private readonly metadata = { actor: 'test' };

  constructor(private readonly fixture: GatewayFixture, shownId: string, private readonly definition: Definition) {
    const runId = parseRunId(shownId);
    if (runId === undefined) throw new Error(`no run id: ${shownId}`);
    this.runId = runId;
  }

  /** Everything the domain would decide right now. */
  async decide(now = Date.now()): Promise<void> {
    const run = foldRun(await this.fixture.log.readRuns([this.runId]));
    if (run === undefined) throw new Error('no such run');
    const { events } = decideRun(run, compileDefinition(this.definition, run.definition), { now, isLost: () => false, metadata: this.metadata, quarantineMs: 0 });
    if (events.length > 0) await this.append([...events]);
  }

  async transition(path: string, version: number, data: Partial<TaskTransitioned> & Pick<TaskTransitioned, 'transition' | 'from' | 'to'>): Promise<void> {
    const full: TaskTransitioned = { attempt: 1, at: Date.now(), executor: 'worker#1', ...data };
    await this.append([newEvent({ runId: this.runId, namespace: 'default', metadata: this.metadata }, taskPath(path), version, { type: 'TaskTransitioned', data: full }, true)]);
  }

  private async append(events: Parameters<GatewayFixture['log']['append']>[0]): Promise<void> {
    const { status } = await this.fixture.log.append(events);
    if (status !== 'ok') throw new Error(`append: ${status}`);
  }
}
