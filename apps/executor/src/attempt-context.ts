import { formatRunId, parseJson, stringifyJson, type JsonObject } from '@foldwork/events';
import { ActionError, type ActionContext } from '@foldwork/actions';
import type { AttemptRecorder, PreparedAttempt } from './attempt';
import { failureOf } from './attempt-failure';
import { AttemptFenced } from './recorder';
import type { Redaction } from './secrets/redaction';

export interface ContextParts {
  readonly recorder: AttemptRecorder;
  readonly redaction: Redaction;
  readonly signal: AbortSignal;
  readonly heartbeat: () => void;
  readonly log: ActionContext['log'];
}

/**
 * What an action gets to see. A class because of its getter: an accessor in an object literal is made anew by each
 * evaluation, in V8's old generation, and all that its closure knows outlives the collections of the young one.
 */
export class AttemptContext implements ActionContext {
  readonly runId: string;
  readonly workflow: string;
  readonly task: string;
  readonly attempt: number;
  readonly effectKey: string;
  readonly traceparent?: string;
  readonly signal: AbortSignal;
  readonly heartbeat: () => void;
  readonly log: ActionContext['log'];
  readonly recordSideEffect: ActionContext['recordSideEffect'];
  readonly #recorder: AttemptRecorder;

  constructor({ command, task, effectKey }: PreparedAttempt, { recorder, redaction, signal, heartbeat, log }: ContextParts) {
    this.runId = formatRunId(command.runId);
    this.workflow = command.workflow;
    this.task = task.path;
    this.attempt = task.attempt;
    this.effectKey = effectKey;
    if (command.traceparent !== undefined) this.traceparent = command.traceparent;
    this.signal = signal;
    this.heartbeat = heartbeat;
    this.log = log;
    this.recordSideEffect = (effect) => {
      let said: JsonObject = {};
      const record = async (): Promise<void> => {
        try {
          said = parseJson(stringifyJson(effect)) as JsonObject; // its own: the action may change it before its turn to be written comes
          await recorder.recordSideEffect(redaction.object(said));
        } catch (error) {
          throw error instanceof AttemptFenced ? error : new ActionError('RESULT_REFUSED', `the log cannot hold a side effect: ${failureOf(error).message}`); // it took place all the same
        }
      };
      const recorded = record();
      recorded.catch((error: unknown) => log('a side effect is not recorded', { effect: said, reason: String(error) })); // an action that does not wait for it must not end the executor
      return recorded;
    };
    this.#recorder = recorder;
  }

  get sideEffects(): Readonly<JsonObject> {
    return this.#recorder.sideEffects;
  }
}
