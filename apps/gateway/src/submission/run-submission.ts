import { ExpressionError, runLane, type CompiledDefinition } from '@foldwork/domain';
import {
  formatRunId, newEvent, openEvent, refusalOf, RUN_STREAM, stringifyJson,
  type EventLog, type EventMetadata, type Json, type NewEvent, type RunId, type RunRequested,
} from '@foldwork/events';
import { type TaskTypeVersionStore, type WorkflowRegistry } from '@foldwork/platform';
import { badRequest, conflict, invalidContent, Problem } from '@foldwork/platform/http';
import type { GatewaySettings } from '../gateway-dependencies';
import type { RunSummaryDto } from '../runs/run.dto';
import type { RunReader } from '../runs/run-reader';
import { iso, summaryOfState } from '../runs/run-summary';
import type { DefinitionCatalog } from '../workflows/definition-catalog';
import { inputFaults } from './input-faults';
import { requestHash } from './request-hash';
import { newRunId, runIdOfKey } from './run-identity';
import type { SubmitRunDto } from './submit-run.dto';

export const INPUT_BYTES_MAX = 262_144;
const IDEMPOTENCY_KEY = /^[\x21-\x7e]{1,255}$/;

export interface Submission {
  readonly body: SubmitRunDto;
  readonly idempotencyKey: string | undefined;
  readonly namespace: string;
  readonly metadata: EventMetadata;
}

export interface SubmittedRun {
  /** `false`: the same request had been accepted before. */
  readonly isNew: boolean;
  readonly summary: RunSummaryDto;
}

/** A run that lacks nothing but its place in the log. */
export interface PreparedRun {
  readonly submission: Submission;
  readonly runId: RunId;
  readonly request: RunRequested;
  readonly event: NewEvent;
}

export interface SubmissionParts {
  readonly log: EventLog;
  readonly reader: RunReader;
  readonly catalog: DefinitionCatalog;
  readonly registry: WorkflowRegistry;
  readonly versions: TaskTypeVersionStore;
  readonly settings: GatewaySettings;
  readonly now: () => number;
}

/**
 * Accepts runs.
 *  1. A run exists from the moment its `RunRequested` is committed, or not at all; a definition stored just before
 *     without a run is harmless.
 *  2. An idempotency key decides the run's id, so the log's version check is the only arbiter between two requests with
 *     one key, whatever process they reach and whatever crashed in between.
 *  3. A refused append at version 1 means that the key was used: the same request gets its run, another one 409.
 *  4. No request is refused before its key was looked for: what was accepted once stays accepted, though the workflow,
 *     its schema or the actions have changed since.
 */
export class RunSubmission {
  constructor(private readonly parts: SubmissionParts) {}

  async submit(submission: Submission): Promise<SubmittedRun> {
    let run = await this.prepare(submission);
    while (isPrepared(run)) {
      if (await this.append([run])) return { isNew: true, summary: acceptedSummary(run) };
      run = await this.lookUp(run);
    }
    return run;
  }

  /** Everything up to the append. What would be refused now, but was accepted before under its key, has its run already. */
  async prepare(submission: Submission): Promise<PreparedRun | SubmittedRun> {
    const { namespace, metadata } = submission;
    const idempotency = idempotencyOf(submission);
    const runId = idempotency === undefined ? newRunId() : runIdOfKey(namespace, idempotency.key);
    try {
      const request = await this.requestOf(submission, runId, idempotency);
      const event = newEvent({ runId, namespace, metadata }, RUN_STREAM, 1, { type: 'RunRequested', data: request }, true);
      requireStorable(event);
      return { submission, runId, request, event };
    } catch (refusal) {
      if (idempotency === undefined || !(refusal instanceof Problem) || !(await this.isTaken(runId))) throw refusal;
      return this.sameRequest(runId, namespace, idempotency.hash);
    }
  }

  /** All of them or none, in one commit and in this order. False: an id is taken. */
  async append(runs: readonly PreparedRun[]): Promise<boolean> {
    const { status } = await this.parts.log.append(runs.map(({ event }) => event));
    return status !== 'conflict'; // a duplicate is our own append, sent twice after a broken connection: its bytes hold our request id
  }

  /** What there is to do with a run whose append was refused: nothing if its key was used, the same again if not. */
  async lookUp(run: PreparedRun): Promise<PreparedRun | SubmittedRun> {
    const { submission, runId, request: { requestHash } } = run;
    if (!(await this.isTaken(runId))) return run;
    if (requestHash === undefined) return this.prepare(submission); // two random ids met, once in many years: take another
    return this.sameRequest(runId, submission.namespace, requestHash);
  }

  private async isTaken(runId: RunId): Promise<boolean> {
    return (await this.parts.log.readLast(runId, RUN_STREAM)) !== undefined;
  }

  private async requestOf({ body, namespace }: Submission, runId: RunId, idempotency: Idempotency | undefined): Promise<RunRequested> {
    const input = inputOf(body);
    requireSmall(input);
    const compiled = await this.definitionOf(body, namespace);
    const faults = inputFaults(compiled.definition, input);
    if (faults.length > 0) throw invalidContent(faults);
    const orchestrators = await this.parts.versions.ofNewRun(namespace);
    const at = this.parts.now();
    const lane = laneOf(compiled, input, runId, at);
    const { runRetryDelayMs, runRetryMaximum } = this.parts.settings;
    return {
      workflow: compiled.workflow, definition: compiled.hash, input, at,
      retry: { delayMs: runRetryDelayMs, maximum: runRetryMaximum },
      ...orchestrators,
      ...(idempotency && { idempotencyKey: idempotency.key, requestHash: idempotency.hash }),
      ...(lane !== undefined && { lane }),
    };
  }

  private definitionOf({ workflow, definition }: SubmitRunDto, namespace: string): Promise<CompiledDefinition> {
    if ((workflow === undefined) === (definition === undefined)) {
      throw invalidContent([{ pointer: '', code: 'missing', message: 'Give either workflow or definition, and not both.' }]);
    }
    return definition === undefined ? this.publishedDefinition(namespace, workflow ?? '') : this.parts.catalog.acceptInline(namespace, definition);
  }

  private async publishedDefinition(namespace: string, reference: string): Promise<CompiledDefinition> {
    const hash = await this.parts.registry.resolve(namespace, reference);
    const definition = hash && (await this.parts.catalog.get(namespace, hash));
    if (definition !== undefined) return definition;
    throw badRequest('unknown_workflow', `There is no workflow ${reference} in this namespace.`, 'Publish it with PUT /orchestrator/workflows/{name}, or check the name and the label.');
  }

  /** The run that the key belongs to, if it was asked for by the same request. */
  private async sameRequest(runId: RunId, namespace: string, hash: string): Promise<SubmittedRun> {
    const { run, events } = await this.parts.reader.load(namespace, runId);
    const first = events[0] && openEvent(events[0]);
    if (first?.type === 'RunRequested' && first.data.requestHash === hash) return { isNew: false, summary: summaryOfState(run) };
    throw keyReused(runId);
  }
}

export const isPrepared = (run: object): run is PreparedRun => 'event' in run;

export const keyReused = (runId: RunId): Problem =>
  conflict('idempotency_key_reused', `This Idempotency-Key belongs to ${formatRunId(runId)}, which another body asked for.`, 'Use a new key for a new request; repeat a request with its own body.');

interface Idempotency {
  readonly key: string;
  readonly hash: string;
}

const idempotencyOf = ({ idempotencyKey: key, body }: Submission): Idempotency | undefined => {
  if (key === undefined) return undefined;
  if (!IDEMPOTENCY_KEY.test(key)) throw badRequest('invalid_idempotency_key', 'An Idempotency-Key has 1 to 255 visible ASCII characters.', 'Use a UUID, for example.');
  return { key, hash: requestHash({ workflow: body.workflow ?? null, definition: body.definition ?? null, input: inputOf(body) }) };
};

/** null is a value like any other; only a missing input stands for an empty one. */
const inputOf = ({ input }: SubmitRunDto): Json => (input === undefined ? {} : input);

const requireSmall = (input: Json): void => {
  const text = stringifyJson(input);
  if (text.length * 3 <= INPUT_BYTES_MAX || Buffer.byteLength(text) <= INPUT_BYTES_MAX) return;
  throw new Problem({
    status: 413, error: 'input_too_large', detail: 'The run input is larger than 256 KiB.',
    remediation: 'Store large content elsewhere and send a reference to it.',
  });
};

/** Found here, it is the fault of this run alone and not of those that are appended with it. */
const requireStorable = (event: NewEvent): void => {
  const fault = refusalOf(event);
  if (fault !== undefined) throw invalidContent([{ pointer: '', code: 'not_storable', message: `The run cannot be stored: ${fault}.` }]);
};

const laneOf = (compiled: CompiledDefinition, input: Json, runId: RunId, at: number): RunRequested['lane'] => {
  try {
    return runLane(compiled, input, runId, at);
  } catch (error) {
    if (!(error instanceof ExpressionError)) throw error;
    throw invalidContent([{ pointer: '/input', code: 'lane_key_failed', message: `The lane's key cannot be computed from this input: ${error.message}` }]);
  }
};

const acceptedSummary = ({ runId, request: { workflow, definition, at } }: PreparedRun): RunSummaryDto => ({
  runId: formatRunId(runId), workflow, definition, status: 'pending', attempt: 1, version: 1, requestedAt: iso(at),
  taskCounts: { total: 0, active: 0, completed: 0, failed: 0, skipped: 0, canceled: 0 },
});
