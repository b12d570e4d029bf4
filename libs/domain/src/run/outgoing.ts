import { formatRunId, type FailureDetail, type Json, type RunId, type TaskPath } from '@foldwork/events/contracts';
import { sha256 } from '@noble/hashes/sha2.js';
import { bytesToHex, utf8ToBytes } from '@noble/hashes/utils.js';
import { canBeRetried } from './renew';
import type { RunState } from './run.state';

/**
 * What leaves a run for other runs. None of it is in an append of the run: whoever decides delivers it after the append,
 * any number of times, and tells the next decision what came of it (`DecideContext.dispatched`, `.childRun`).
 */

/**
 * A signal task wants this delivered. Deliver it by appending `SignalReceived` to `signalStream(signalId)` of each target
 * at version 1 (a conflict or duplicate there means: has it already), start each triggered workflow as the run
 * `derivedRunId(at, signalId + '/' + workflow)`, publish it on the bus; then remember the `SignalDispatch` for
 * `DecideContext.dispatched`, call `lookAtTask(run, task)` and decide again. With `to.run` that one run is the target,
 * waiting or not; an ended one is none, and one that the sender's namespace does not have is an error (`unknownTarget`).
 * Otherwise every run that waits for the name (`TaskTransitioned.waitsFor`).
 */
export interface OutgoingSignal {
  readonly task: TaskPath;
  /** The same each time it is asked for: from run and task. */
  readonly signalId: string;
  readonly signal: string;
  readonly payload: Json;
  readonly to?: { readonly run?: RunId; readonly correlationId?: string };
  /** When the task began: the birth of runs that it triggers. */
  readonly at: number;
}

/** What came of a signal: `targets` are tasks as `run_<uuid>/<task>` and started runs as `run_<uuid>`. */
export type SignalDispatch = { readonly targets: readonly string[] } | { readonly error: FailureDetail };

/** Nobody will ever get a signal that is meant for a run which does not exist. */
export const unknownTarget = (runId: RunId): FailureDetail => ({ code: 'SIGNAL_TARGET_UNKNOWN', message: `the signal is for ${formatRunId(runId)}, and there is no such run` });

/**
 * A composite wants this run to be under way. If no such run exists, append its `RunRequested` (parent: this run and
 * `task`; `retry: {delayMs: 0, maximum: 0}`, since trying again is the composite's business; the hash behind the label
 * `live`; definition missing or input refused: answer with `refused` in `DecideContext.childRun`). If it exists, has
 * failed and its attempt is lower than `attempt`, retry it (`decideOperatorCommand`, kind `retry`). Otherwise: nothing.
 */
export interface ChildRunRequest {
  readonly task: TaskPath;
  readonly runId: RunId;
  readonly workflow: string;
  readonly input: Json;
  readonly attempt: number;
  /** When the task began: `RunRequested.at`. */
  readonly at: number;
}

/** A child run as its parent sees it. */
export type ChildRunView =
  | { readonly status: 'open'; readonly attempt: number }
  | { readonly status: 'succeeded'; readonly attempt: number; readonly output: Json }
  | { readonly status: 'failed'; readonly attempt: number; readonly error: FailureDetail; readonly canBeRetried: boolean }
  /** It could not be started. */
  | { readonly status: 'refused'; readonly attempt: number; readonly error: FailureDetail };

export const childRunView = (run: RunState): ChildRunView => {
  const { attempt } = run;
  switch (run.status) {
    case 'succeeded':
      return { status: 'succeeded', attempt, output: run.output ?? null };
    case 'failed':
    case 'rolled_back':
      if (run.retryAt !== undefined) return { status: 'open', attempt };
      return { status: 'failed', attempt, canBeRetried: run.status === 'failed' && canBeRetried(run), error: run.error ?? { code: 'CHILD_RUN_FAILED', message: `the run of ${run.workflow} ${run.status}` } };
    case 'canceled':
      return { status: 'failed', attempt, canBeRetried: false, error: { code: 'CHILD_RUN_CANCELED', message: `the run of ${run.workflow} was canceled` } };
    default:
      // escalated too: a person's answer lets it go on
      return { status: 'open', attempt };
  }
};

/** A UUIDv7 that is the same each time: its birth and a hash of what it is derived from. */
export const derivedRunId = (at: number, seed: string): RunId => {
  const time = Math.max(0, Math.floor(at)).toString(16).padStart(12, '0').slice(-12);
  const hash = bytesToHex(sha256(utf8ToBytes(seed)));
  const variant = ((Number.parseInt(hash.slice(3, 4), 16) & 3) | 8).toString(16);
  const text = `${time.slice(0, 8)}-${time.slice(8)}-7${hash.slice(0, 3)}-${variant}${hash.slice(4, 7)}-${hash.slice(7, 19)}`;
  return text as RunId; // built to be one
};

/** Short enough for a stream's name whatever the depth of the task. */
export const derivedSignalId = (runId: RunId, task: TaskPath): string => bytesToHex(sha256(utf8ToBytes(`${runId}/${task}`))).slice(0, 32);
