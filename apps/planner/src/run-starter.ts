import { newEvent, RUN_STREAM, type EventLog, type EventMetadata, type FailureDetail, type Json, type Lineage, type RunId, type RunRequested } from '@foldwork/events';
import { ExpressionError, runLane, schemaFaults } from '@foldwork/domain';
import type { DefinitionCache, WorkflowRegistry } from '@foldwork/platform';

export interface RunOrder {
  readonly namespace: string;
  readonly workflow: string;
  /** Derived from what asks for it, so that a repetition is the same run. */
  readonly runId: RunId;
  readonly input: Json;
  readonly at: number;
  /** A child run begins with its parent's versions of the rules. */
  readonly origin: Pick<RunRequested, 'parent' | 'trigger' | 'orchestrators'>;
  readonly retry: RunRequested['retry'];
  readonly lineage: Lineage | undefined;
}

/** Starts runs that other runs or signals ask for. */
export class RunStarter {
  constructor(
    private readonly log: EventLog,
    private readonly workflows: WorkflowRegistry,
    private readonly definitions: DefinitionCache,
    private readonly metadata: EventMetadata,
  ) {}

  /** Resolves when the run is in the log, from now or from before; a refusal is a value. Rejects with `LogUnavailable`. */
  async start(order: RunOrder): Promise<'started' | FailureDetail> {
    const { namespace, workflow, runId, input, at, origin, retry } = order;
    const hash = await this.workflows.resolve(namespace, workflow);
    if (hash === undefined) return { code: 'UNKNOWN_WORKFLOW', message: `there is no workflow ${workflow} in namespace ${namespace}` };
    const compiled = await this.definitions.get(namespace, hash);
    const { input: schema } = compiled.definition;
    const faults = schema === undefined ? [] : schemaFaults(schema as Json, input); // a definition's schema is JSON by its parser
    if (faults.length > 0) return { code: 'INPUT_INVALID', message: `${workflow} refuses the input: ${faults.join('; ')}` };
    try {
      const lane = runLane(compiled, input, runId, at);
      const data: RunRequested = { workflow: compiled.workflow, definition: hash, input, at, retry, ...origin, ...(lane && { lane }) };
      await this.log.append([newEvent({ runId, namespace, metadata: { ...this.metadata, ...order.lineage } }, RUN_STREAM, 1, { type: 'RunRequested', data }, true)]);
      return 'started'; // a conflict at version 1 means that it was started before
    } catch (error) {
      if (!(error instanceof ExpressionError)) throw error;
      return { code: 'LANE_KEY_FAILED', message: error.message };
    }
  }
}
