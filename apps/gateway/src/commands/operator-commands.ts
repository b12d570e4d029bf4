import { decideOperatorCommand, type OperatorCommand, type OperatorRejection } from '@foldwork/domain';
import { stringifyJson, type Bus, type CancelHint, type EventLog, type EventMetadata, type RunId } from '@foldwork/events';
import { conflict, Problem } from '@foldwork/platform/http';
import type { RunReader } from '../runs/run-reader';
import { summaryOfState } from '../runs/run-summary';
import type { RunSummaryDto } from '../runs/run.dto';

export interface CommandParts {
  readonly log: EventLog;
  readonly reader: RunReader;
  readonly bus: Pick<Bus, 'hint'>;
  readonly now: () => number;
}

export interface CommandSource {
  readonly namespace: string;
  readonly runId: RunId;
  readonly metadata: EventMetadata;
}

/** Others' events may come between folding and appending; a run that busy is not met in practice. */
const TRIES_MAX = 20;

/** People's commands: folded, decided and appended at the decided versions; decided anew when somebody was faster. */
export class OperatorCommands {
  constructor(private readonly parts: CommandParts) {}

  /** The run after the command. Throws `Problem` when it is refused; rejects with `LogUnavailable`. */
  async carryOut({ namespace, runId, metadata }: CommandSource, command: OperatorCommand): Promise<RunSummaryDto> {
    for (let tries = 0; tries < TRIES_MAX; tries += 1) {
      const { run } = await this.parts.reader.load(namespace, runId);
      const decision = decideOperatorCommand(run, command, { now: this.parts.now(), metadata });
      if (!decision.accepted) throw refusal(decision.code, decision.detail);
      const outcome = await this.parts.log.append(decision.events);
      if (outcome.status === 'conflict') continue;
      if (command.kind === 'pause') this.tellOfPause(runId, run.version);
      return summaryOfState(run); // deciding has applied the events to the state
    }
    throw conflict('run_contended', 'The run keeps changing at this moment.', 'Send the command again.');
  }

  /** Executors in the middle of a segment would go on until a planner tells them, and there may be none just now. */
  private tellOfPause(runId: RunId, pausedAt: number): void {
    const hint: CancelHint = { runId, tasks: [], pausedAt };
    this.parts.bus.hint('cancel', stringifyJson(hint));
  }
}

const STATUS: Readonly<Record<OperatorRejection, number>> = {
  retry_not_allowed: 409, invalid_resume_step: 400, cancel_not_allowed: 409, pause_not_allowed: 409, resume_not_allowed: 409,
  task_not_found: 404, task_not_escalated: 409,
};

const REMEDY: Readonly<Record<OperatorRejection, string>> = {
  retry_not_allowed: 'Look at the run\'s status and waitingFor first.',
  invalid_resume_step: 'Leave resumeFromStep out to go on where the run failed.',
  cancel_not_allowed: 'Nothing is left to cancel; look at the run\'s status.',
  pause_not_allowed: 'Only a run that goes on can be paused.',
  resume_not_allowed: 'Only a paused run can be resumed.',
  task_not_found: 'Take the task\'s path from the run\'s detail, percent-encoded.',
  task_not_escalated: 'Only a task that waits for a person can be resolved.',
};

const refusal = (error: OperatorRejection, detail: string): Problem =>
  new Problem({ status: STATUS[error], error, detail: `${detail.charAt(0).toUpperCase()}${detail.slice(1)}.`, remediation: REMEDY[error] });
