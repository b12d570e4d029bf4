import type { Pool } from 'pg';
import {
  ActionDirectory, LogUnavailable, Membership, parseJson,
  type Bus, type CancelHint, type EventLog, type StepCommand, type StepDelivery, type Subscription,
} from '@foldwork/events';
import type { CompiledDefinition } from '@foldwork/domain';
import type { DefinitionCache, Logger } from '@foldwork/platform';
import type { ActionRegistry } from '@foldwork/actions';
import { ClaimTally } from './claim-tally';
import { ExecutionLease } from './execution-lease';
import { Recorder } from './recorder';
import { RunningAttempts } from './running-attempts';
import { noSecrets, type SecretSource } from './secrets/secret-folder';
import { SegmentRunner, type ClaimOutcome, type SegmentRunnerParts } from './segment-runner';
import { Slots } from './slots';
import { UndoRunner } from './undo-runner';

export interface ExecutorSettings {
  readonly name: string;
  readonly leaseMs: number;
  readonly concurrency: number;
  /** How long attempts in hand may go on after `stop`; then they are given up to other executors. */
  readonly stopMs: number;
}

export interface ExecutorDependencies {
  readonly log: EventLog;
  readonly bus: Bus;
  readonly pool: Pool;
  readonly definitions: DefinitionCache;
  readonly actions: ActionRegistry;
  readonly secrets?: SecretSource;
  readonly logger: Logger;
  readonly settings: ExecutorSettings;
  readonly now?: () => number;
}

/** Nobody here has the action: another executor may. After some tries it is the planner's turn to ask again. */
const NO_ACTION_DELAY_MS = 1_000;
const NO_ACTION_DELIVERIES_MAX = 3;
const STORE_TROUBLE_DELAY_MS = 500;
/** No lease, or stopping: others may take it at once. */
const AWAY_DELAY_MS = 50;
/** Shorter than the time in which the bus wants an answer, or it would deliver the command over and over. */
const SLOT_WAIT_MS = 10_000;

/** Takes step commands, runs their segments, records what came of them. */
export class Executor {
  private readonly lease: ExecutionLease;
  private readonly running = new RunningAttempts();
  private readonly slots: Slots;
  private readonly runner: SegmentRunner;
  private readonly undoing: UndoRunner;
  private readonly hints: Subscription[] = [];
  private joined: Promise<void> | undefined;
  private isStopping = false;
  private epoch = '';
  private idle: (() => void) | undefined;
  private active = 0;

  constructor(private readonly dependencies: ExecutorDependencies) {
    const { log, bus, pool, actions, logger, settings, secrets = noSecrets, now = Date.now } = dependencies;
    const membership = new Membership(pool, 'executor');
    this.slots = new Slots(settings.concurrency);
    this.lease = new ExecutionLease({ membership, bus, ...settings, onTrouble: this.trouble, onLost: () => this.onLeaseLost(), onNameTaken: this.nameTaken });
    const recorder = new Recorder(log, this.lease, now, this.trouble);
    const parts: SegmentRunnerParts = { recorder, actions, running: this.running, logger, secrets, isStopping: (command) => this.isStopping || this.running.isPaused(command) };
    this.runner = new SegmentRunner(parts);
    this.undoing = new UndoRunner(parts);
  }

  /** Takes the name over: what its predecessor held is given out again from here on. Part of `start`, or done before it. */
  join(): Promise<void> {
    return (this.joined ??= this.lease.start());
  }

  /** Before the first command: takes the name, makes the actions known. */
  async start(): Promise<void> {
    const { log, bus, pool, actions, settings, logger } = this.dependencies;
    this.epoch = await log.epoch();
    await new ActionDirectory(pool).publish(actions.entries());
    await this.join();
    this.hints.push(bus.onHint('cancel', (payload) => this.cancel(payload)));
    logger.info({ event: 'executor_started', name: this.lease.holder, concurrency: settings.concurrency });
  }

  /** Finishes the tasks in hand, leaves the rest to others, gives the lease back. */
  async stop(): Promise<void> {
    this.isStopping = true;
    this.slots.close();
    await Promise.all(this.hints.map((hint) => hint.close()));
    const limit = setTimeout(() => this.running.close('the executor stopped before the attempt ended'), this.dependencies.settings.stopMs);
    if (this.active > 0) await new Promise<void>((resolve) => (this.idle = resolve));
    clearTimeout(limit);
    await this.lease.stop();
  }

  /** Resolves when the command is dealt with; acknowledges it as soon as its tasks are claimed. Never rejects. */
  async handle(delivery: StepDelivery): Promise<void> {
    if (!this.mayClaim()) return delivery.retryLater(AWAY_DELAY_MS);
    this.active += 1;
    try {
      const command = parseJson(delivery.payload) as unknown as StepCommand; // made by a planner of this system
      if (command.epoch === this.epoch) await this.runCommand(command, delivery);
      else delivery.ack(); // from before a restore of the log
    } catch (err) {
      this.setAside(err, delivery);
    } finally {
      this.active -= 1;
      if (this.active === 0) this.idle?.();
    }
  }

  private mayClaim(): boolean {
    return !this.isStopping && this.lease.isHeld;
  }

  /** The store comes back by itself. What a bug makes of a command it makes of it every time: the planner's next one may be better. */
  private setAside(err: unknown, delivery: StepDelivery): void {
    if (err instanceof LogUnavailable) {
      this.trouble(err);
      return delivery.retryLater(STORE_TROUBLE_DELAY_MS);
    }
    this.dependencies.logger.error({ event: 'command_set_aside', command: delivery.payload.slice(0, COMMAND_SHOWN_MAX), err });
    delivery.ack();
  }

  private async runCommand(command: StepCommand, delivery: StepDelivery): Promise<void> {
    const { definitions } = this.dependencies;
    const definition = definitions.peek(command.definition) ?? (await definitions.get(command.namespace, command.definition));
    const claims = new ClaimTally(command.segments.length, (worst) => {
      if (worst === 'busy') delivery.retryLater(AWAY_DELAY_MS);
      else if (worst === 'no_action' && delivery.deliveries < NO_ACTION_DELIVERIES_MAX) delivery.retryLater(NO_ACTION_DELAY_MS);
      else delivery.ack();
    });
    const ends = await Promise.allSettled(command.segments.map((segment) => this.runSegment(command, segment, definition, claims.one())));
    for (const end of ends) if (end.status === 'rejected') this.setAside(end.reason, delivery);
  }

  private async runSegment(command: StepCommand, segment: StepCommand['segments'][number], definition: CompiledDefinition, onClaimed: (outcome: ClaimOutcome) => void): Promise<void> {
    if (!(await this.slots.take(SLOT_WAIT_MS))) return onClaimed('busy');
    try {
      const [first] = segment;
      if (!this.mayClaim()) onClaimed('busy');
      else if (first?.undo === true) await this.undoing.run(command, first, definition, onClaimed);
      else await this.runner.run(command, segment, definition, onClaimed);
    } finally {
      this.slots.give();
    }
  }

  private onLeaseLost(): void {
    if (this.running.size > 0) this.dependencies.logger.warn({ event: 'lease_lost', name: this.lease.holder, attempts: this.running.size });
    this.running.abortAll('the executor lost its lease');
  }

  private cancel(payload: string): void {
    try {
      const { runId, tasks, pausedAt } = parseJson(payload) as unknown as CancelHint; // made by a planner or gateway of this system
      if (pausedAt !== undefined) this.running.pause(runId, pausedAt);
      this.running.cancel(runId, tasks);
    } catch (err) {
      this.trouble(err); // a hint that is none; the log says the same at the next append
    }
  }

  private readonly nameTaken = (name: string, goesOnAs: string): void => {
    this.dependencies.logger.error({ event: 'executor_name_taken', name, goesOnAs, hint: 'give each executor a FOLDWORK_EXECUTOR_NAME of its own' });
  };

  private readonly trouble = (err: unknown): void => {
    const level = err instanceof LogUnavailable ? 'warn' : 'error';
    this.dependencies.logger[level]({ event: 'executor_trouble', err });
  };
}

const COMMAND_SHOWN_MAX = 500;
