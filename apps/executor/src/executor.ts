import type { Pool } from 'pg';
import {
  ActionDirectory, LogUnavailable, Membership, parseJson,
  type Bus, type CancelHint, type EventLog, type StepCommand, type StepDelivery, type Subscription,
} from '@foldwork/events';
import type { DefinitionCache, Logger } from '@foldwork/platform';
import type { ActionRegistry } from '@foldwork/actions';
import { Recorder } from './claimed-task';
import { ExecutionLease } from './execution-lease';
import { RunningAttempts } from './running-attempts';
import { SegmentRunner, type ClaimOutcome, type SegmentRunnerParts } from './segment-runner';
import { Slots } from './slots';
import { UndoRunner } from './undo-runner';

export interface ExecutorSettings {
  readonly name: string;
  readonly leaseMs: number;
  readonly concurrency: number;
}

export interface ExecutorDependencies {
  readonly log: EventLog;
  readonly bus: Bus;
  readonly pool: Pool;
  readonly definitions: DefinitionCache;
  readonly actions: ActionRegistry;
  readonly logger: Logger;
  readonly settings: ExecutorSettings;
  readonly now?: () => number;
}

/** Nobody here has the action: others may, or a newer version of this executor will. */
const NO_ACTION_DELAY_MS = 5_000;
const STORE_TROUBLE_DELAY_MS = 500;

/** Takes step commands, runs their segments, records what came of them. */
export class Executor {
  private readonly lease: ExecutionLease;
  private readonly running = new RunningAttempts();
  private readonly slots: Slots;
  private readonly runner: SegmentRunner;
  private readonly undoing: UndoRunner;
  private readonly hints: Subscription[] = [];
  private isStopping = false;
  private epoch = '';
  private idle: (() => void) | undefined;
  private active = 0;

  constructor(private readonly dependencies: ExecutorDependencies) {
    const { log, bus, pool, actions, logger, settings, now = Date.now } = dependencies;
    const membership = new Membership(pool, 'executor');
    this.slots = new Slots(settings.concurrency);
    this.lease = new ExecutionLease({ membership, bus, ...settings, onTrouble: this.trouble, onLost: () => this.onLeaseLost() });
    const recorder = new Recorder(log, () => this.lease.holder, now, this.trouble);
    const parts: SegmentRunnerParts = { recorder, actions, running: this.running, logger, isStopping: (runId) => this.isStopping || this.running.isPausing(runId) };
    this.runner = new SegmentRunner(parts);
    this.undoing = new UndoRunner(parts);
  }

  /** Before the first command: takes the name, makes the actions known. */
  async start(): Promise<void> {
    const { log, bus, pool, actions, settings, logger } = this.dependencies;
    this.epoch = await log.epoch();
    await new ActionDirectory(pool).publish(actions.entries());
    await this.lease.start();
    this.hints.push(bus.onHint('cancel', (payload) => this.cancel(payload)));
    logger.info({ event: 'executor_started', name: this.lease.holder, concurrency: settings.concurrency });
  }

  /** Finishes the tasks in hand, leaves the rest to others, gives the lease back. */
  async stop(): Promise<void> {
    this.isStopping = true;
    await Promise.all(this.hints.map((hint) => hint.close()));
    if (this.active > 0) await new Promise<void>((resolve) => (this.idle = resolve));
    await this.lease.stop();
  }

  /** Resolves when the command is dealt with; acknowledges it as soon as its tasks are claimed. */
  async handle(delivery: StepDelivery): Promise<void> {
    if (this.isStopping) return delivery.retryLater(0);
    const command = parseJson(delivery.payload) as unknown as StepCommand; // made by a planner of this system
    if (command.epoch !== this.epoch) return delivery.ack(); // from before a restore of the log
    this.active += 1;
    try {
      await this.runCommand(command, delivery);
    } catch (err) {
      this.trouble(err);
      delivery.retryLater(STORE_TROUBLE_DELAY_MS);
    } finally {
      this.active -= 1;
      if (this.active === 0) this.idle?.();
    }
  }

  private async runCommand(command: StepCommand, delivery: StepDelivery): Promise<void> {
    const { definitions } = this.dependencies;
    const definition = definitions.peek(command.definition) ?? (await definitions.get(command.namespace, command.definition));
    const claims = new ClaimTally(command.segments.length, (worst) => {
      if (worst === 'no_action') delivery.retryLater(NO_ACTION_DELAY_MS);
      else delivery.ack();
    });
    await Promise.all(command.segments.map(async (segment) => {
      await this.slots.take();
      try {
        const [first] = segment;
        const onClaimed = (outcome: ClaimOutcome): void => claims.count(outcome);
        if (first?.undo === true) await this.undoing.run(command, first, definition, onClaimed);
        else await this.runner.run(command, segment, definition, onClaimed);
      } finally {
        this.slots.give();
      }
    }));
  }

  private onLeaseLost(): void {
    if (this.running.size > 0) this.dependencies.logger.warn({ event: 'lease_lost', name: this.lease.holder, attempts: this.running.size });
    this.running.abortAll();
  }

  private cancel(payload: string): void {
    const { runId, tasks, pause } = parseJson(payload) as unknown as CancelHint; // made by a planner of this system
    if (pause === true) this.running.pause(runId);
    this.running.cancel(runId, tasks);
  }

  private readonly trouble = (err: unknown): void => {
    const level = err instanceof LogUnavailable ? 'warn' : 'error';
    this.dependencies.logger[level]({ event: 'executor_trouble', err });
  };
}

/** Knows when the last segment of a command was claimed, or settled otherwise. */
class ClaimTally {
  private sawMissingAction = false;

  constructor(
    private left: number,
    private readonly onAll: (worst: ClaimOutcome) => void,
  ) {}

  count(outcome: ClaimOutcome): void {
    if (outcome === 'no_action') this.sawMissingAction = true;
    this.left -= 1;
    if (this.left === 0) this.onAll(this.sawMissingAction ? 'no_action' : outcome);
  }
}
