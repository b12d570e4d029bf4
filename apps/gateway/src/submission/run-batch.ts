import { setImmediate } from 'node:timers/promises';
import { makeDto, Problem, problemDocument, problemOfError } from '@foldwork/platform/http';
import { formatRunId, type EventMetadata, type Json, type RunId } from '@foldwork/events';
import { BatchRunDto, type BatchResultDto } from './run-batch.dto';
import { isPrepared, keyReused, type PreparedRun, type RunSubmission, type SubmittedRun } from './run-submission';

export interface Batch {
  readonly runs: readonly Json[];
  readonly namespace: string;
  readonly metadata: EventMetadata;
}

type BatchRun = PreparedRun | SubmittedRun | Problem;

/** So long others wait for their turn at most, but for what one run takes: definitions of its own cost most of a millisecond each. */
const TURN_MS = 10;

/**
 * Many runs in one request.
 *  1. Each is accepted or refused for itself, as if it had come alone: one that is wrong keeps no other from running.
 *  2. Those that are accepted come into the log in one commit, in the order of the request, which is that of a lane too.
 *  3. That commit is the last thing that can fail. Where the server is the reason it throws: all are in the log, or none.
 */
export class RunBatch {
  constructor(private readonly submission: RunSubmission) {}

  async submit(batch: Batch): Promise<BatchResultDto[]> {
    let runs = await this.prepareAll(batch);
    for (;;) {
      const fresh = firstOfEach(runs);
      if (fresh.size === 0 || (await this.submission.append([...fresh.values()]))) return runs.map((run, index) => answerOf(run, index, fresh));
      runs = await Promise.all(runs.map(async (run) => (isPrepared(run) ? orRefusal(this.submission.lookUp(run)) : run)));
    }
  }

  private async prepareAll(batch: Batch): Promise<BatchRun[]> {
    const prepared: BatchRun[] = [];
    let turnEnds = performance.now() + TURN_MS;
    for (const run of batch.runs) {
      prepared.push(await orRefusal(this.prepare(run, batch))); // one by one: what the first one looks up, the next one finds
      if (performance.now() < turnEnds) continue;
      await setImmediate();
      turnEnds = performance.now() + TURN_MS;
    }
    return prepared;
  }

  private async prepare(run: Json, { namespace, metadata }: Batch): Promise<PreparedRun | SubmittedRun> {
    const { idempotencyKey, ...body } = makeDto(BatchRunDto, run);
    return this.submission.prepare({ body, idempotencyKey, namespace, metadata });
  }
}

const orRefusal = async <T>(work: Promise<T>): Promise<T | Problem> => {
  try {
    return await work;
  } catch (error) {
    const problem = problemOfError(error);
    if (problem.details.status >= 500) throw error;
    return problem;
  }
};

/** A key that is given twice makes one run, the first. */
const firstOfEach = (runs: readonly BatchRun[]): Map<RunId, PreparedRun> => {
  const first = new Map<RunId, PreparedRun>();
  for (const run of runs) if (isPrepared(run) && !first.has(run.runId)) first.set(run.runId, run);
  return first;
};

const answerOf = (run: BatchRun, index: number, made: ReadonlyMap<RunId, PreparedRun>): BatchResultDto => {
  if (run instanceof Problem) return refusalOf(run, index);
  if (!isPrepared(run)) return { status: 200, runId: run.summary.runId };
  const first = made.get(run.runId);
  if (first?.request.requestHash !== run.request.requestHash) return refusalOf(keyReused(run.runId), index);
  return { status: first === run ? 202 : 200, runId: formatRunId(run.runId) };
};

const refusalOf = ({ details }: Problem, index: number): BatchResultDto => {
  const faults = details.faults?.map((fault) => ({ ...fault, pointer: `/runs/${index}${fault.pointer}` }));
  return { status: details.status, problem: problemDocument({ ...details, ...(faults !== undefined && { faults }) }) };
};
