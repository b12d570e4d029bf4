import { makeDto, Problem, problemDocument, problemOfError } from '@foldwork/platform/http';
import type { EventMetadata, Json } from '@foldwork/events';
import type { Logger } from '@foldwork/platform';
import { BatchRunDto, type BatchResultDto } from './run-batch.dto';
import type { RunSubmission, SubmittedRun } from './run-submission';

export interface Batch {
  readonly runs: readonly Json[];
  readonly namespace: string;
  readonly metadata: EventMetadata;
}

/**
 * Many runs in one request. Each is accepted or refused for itself, as if it had come alone, so that one that is wrong
 * keeps no other from running; they share the commits of the log and have their order there, which is that of a lane too.
 * Throws only where no run was accepted and the server is the reason.
 */
export class RunBatch {
  constructor(private readonly submission: RunSubmission, private readonly logger: Logger) {}

  async submit(batch: Batch): Promise<BatchResultDto[]> {
    const prepared = await Promise.all(batch.runs.map((run) => this.prepare(run, batch)));
    const results = (await Promise.allSettled(prepared.map((accept) => accept()))).map(resultOf);
    this.report(results, batch.metadata);
    return answersOf(results);
  }

  private async prepare(run: Json, { namespace, metadata }: Batch): Promise<() => Promise<SubmittedRun>> {
    try {
      const { idempotencyKey, ...body } = makeDto(BatchRunDto, run);
      return await this.submission.prepare({ body, idempotencyKey, namespace, metadata });
    } catch (refusal) {
      return () => Promise.reject(problemOfError(refusal));
    }
  }

  private report(results: readonly (SubmittedRun | Problem)[], { requestId }: EventMetadata): void {
    const trouble = results.find((result) => result instanceof Problem && result.details.status >= 500);
    if (!(trouble instanceof Problem)) return;
    if (results.every((result) => result instanceof Problem)) throw trouble;
    this.logger.error({ event: 'batch_partly_failed', requestId, code: trouble.details.error, err: trouble.cause ?? trouble });
  }
}

const resultOf = (outcome: PromiseSettledResult<SubmittedRun>): SubmittedRun | Problem =>
  outcome.status === 'fulfilled' ? outcome.value : problemOfError(outcome.reason);

/** A key that is given twice makes one run, and the second one did not make it. */
const answersOf = (results: readonly (SubmittedRun | Problem)[]): BatchResultDto[] => {
  const made = new Set<string>();
  return results.map((result, index) => {
    if (result instanceof Problem) return refusalOf(result, index);
    const { isNew, summary: { runId } } = result;
    const status = isNew && !made.has(runId) ? 202 : 200;
    made.add(runId);
    return { status, runId };
  });
};

const refusalOf = ({ details }: Problem, index: number): BatchResultDto => {
  const faults = details.faults?.map((fault) => ({ ...fault, pointer: `/runs/${index}${fault.pointer}` }));
  return { status: details.status, problem: problemDocument({ ...details, ...(faults !== undefined && { faults }) }) };
};
