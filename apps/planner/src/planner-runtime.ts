import { Agenda, BROADCAST_RUN, formatRunId, lineageOf, LogSubscription, Membership, openEvent, type RecordedEvent, type RunId, type Subscription } from '@foldwork/events';
import { Clock, DefinitionCache, TaskTypeVersionStore } from '@foldwork/platform';
import { AgendaWriter } from './agenda-writer';
import { createPlanner } from './create-planner';
import { DecideHints } from './decide-hints';
import { DueQueue } from './due-queue';
import { ExecutorWatch } from './executor-watch';
import { HeldShards } from './held-shards';
import { LaneKeeper } from './lane-keeper';
import { PlannedTally } from './planned-tally';
import type { Planner } from './planner';
import { plannerMetadata } from './planner-decision';
import type { PlannerDependencies } from './planner-dependencies';
import { LOOK_AHEAD_MS } from './run-decisions';
import { ALL_SHARDS, shardOf, shardsOf } from './shard-share';
import type { SignalDelivery } from './signal-delivery';
import { takeOverShards } from './take-over-shards';
import { TriggerBook } from './trigger-book';

const FLUSH_MS = 100;
const DUE_POLL_MS = 1_000;
const WATCH_MS = 500;
const BATCH_EVENTS_MAX = 1_000;
/** More than executors take off the bus at a time, and few enough not to make a long queue longer. */
const SENT_AGAIN_MAX = 1_000;
const RETRY_MS = 500;

/** A planner at work: the subscription, the clocks, the lease and the takeover of shards around `Planner`. */
export class PlannerRuntime {
  private readonly agenda: Agenda;
  private readonly membership: Membership;
  private readonly watch: ExecutorWatch;
  private readonly due: DueQueue;
  private readonly writer: AgendaWriter;
  private readonly now: () => number;
  private readonly triggers = new TriggerBook();
  private readonly versions: TaskTypeVersionStore;
  private readonly tally = new PlannedTally();
  private readonly lanes: LaneKeeper;
  private readonly decideHints: DecideHints;
  private signals: SignalDelivery | undefined;
  private planner: Planner | undefined;
  private subscription: LogSubscription | undefined;
  private readonly shards = new HeldShards();
  private incarnation = 0;
  private lossesHandled = 0;
  /** Last event of the batch that is being handled. */
  private handling = 0;
  private readonly clocks: Clock[] = [];
  private readonly hints: Subscription[] = [];
  private isStopping = false;

  constructor(private readonly dependencies: PlannerDependencies) {
    const { pool } = dependencies;
    this.now = dependencies.now ?? Date.now;
    this.agenda = new Agenda(pool);
    this.versions = new TaskTypeVersionStore(pool);
    this.membership = new Membership(pool, 'planner');
    this.watch = new ExecutorWatch(new Membership(pool, 'executor'));
    this.due = new DueQueue((runIds, at) => this.attempt(() => this.planner?.look(runIds.filter(this.shards.owns), { at }), runIds), this.now);
    this.decideHints = new DecideHints({
      owns: this.shards.owns,
      position: () => Math.max(this.position, this.handling),
      hear: (events) => this.planner?.hear(events),
      attempt: (work, runIds) => this.attempt(() => work, runIds),
      readLog: () => this.subscription?.wake(),
      onTrouble: this.trouble,
    });
    this.lanes = new LaneKeeper({ log: dependencies.log, agenda: this.agenda, metadata: plannerMetadata(dependencies.settings.name), owns: this.shards.owns, now: this.now, onSetAside: this.setAside });
    this.writer = new AgendaWriter(this.agenda, () => ({ shards: this.shards.settled, position: this.subscription?.position ?? 0 }), this.trouble);
  }

  /** Position of the last event that is done with. */
  get position(): number {
    return this.subscription?.position ?? 0;
  }

  /** Tasks planned since the start, by the rule they follow. */
  get planned(): Readonly<Record<string, number>> {
    return this.tally.byRule;
  }

  /** Takes its shards and looks at once at everything that its predecessor may have left. */
  async start(): Promise<void> {
    const { settings, log } = this.dependencies;
    this.incarnation = await this.membership.join(settings.name, settings.leaseMs);
    this.lossesHandled = await this.watch.refresh(); // what is in flight is looked at below
    this.shards.own(shardsOf(settings.name, await this.membership.list()));
    await this.agenda.claim(this.shards.owned);
    this.shards.settle(); // reading begins where their last planner stopped
    // Lanes are folded from the runs of all shards, so reading begins where the slowest of all shards stands.
    const from = await this.agenda.position(ALL_SHARDS);
    this.planner = await this.createPlanner();
    for (const publication of await log.readPublications()) this.triggers.fold(publication);
    await this.lanes.start(from);
    this.writer.othersWroteUntil(await log.head());
    this.subscription = this.createSubscription(from);
    this.subscription.start();
    this.listen();
    this.writer.start(FLUSH_MS);
    await this.planner.look(await this.agenda.inFlight(this.shards.owned), { everything: true });
    this.every(Math.floor(settings.leaseMs / 3), () => this.renew());
    this.every(DUE_POLL_MS, () => this.readDue());
    this.every(WATCH_MS, () => this.watchExecutors());
    await this.readDue();
    this.dependencies.logger.info({ event: 'planner_started', name: settings.name, shards: this.shards.owned.length });
  }

  async stop(): Promise<void> {
    this.isStopping = true;
    await Promise.all(this.clocks.map((clock) => clock.stop()));
    this.due.close();
    await Promise.all(this.hints.map((hint) => hint.close()));
    this.decideHints.close();
    await this.subscription?.close();
    await this.writer.stop();
    await this.membership.leave(this.dependencies.settings.name, this.incarnation).catch(this.trouble);
  }

  private readonly trouble = (err: unknown): void => {
    if (!this.isStopping) this.dependencies.logger.warn({ event: 'planner_trouble', err });
  };

  private readonly setAside = (runId: RunId, err: unknown): void => {
    this.dependencies.logger.error({ event: 'run_set_aside', runId: formatRunId(runId), err });
  };

  private async createPlanner(): Promise<Planner> {
    const { log, bus, definitions, settings, logger } = this.dependencies;
    const { agenda, writer, due, now, triggers, versions, tally: planned, trouble, shards: { owns } } = this;
    const { planner, signals } = createPlanner({
      log, bus, logger, settings, agenda, writer, due, owns, now, triggers, versions, planned, definitions: new DefinitionCache(definitions),
      metadata: plannerMetadata(settings.name), epoch: await log.epoch(), watch: this.watch, onTrouble: trouble, onSetAside: this.setAside,
    });
    this.signals = signals;
    return planner;
  }

  private createSubscription(from: number): LogSubscription {
    return new LogSubscription({
      name: 'planner',
      log: this.dependencies.log,
      cursor: { load: () => Promise.resolve(from) },
      handle: (events) => this.take(events),
      onStopped: (err) => {
        this.dependencies.logger.fatal({ event: 'planner_stopped', err });
        throw err;
      },
      onTrouble: this.trouble,
      hasHints: () => this.dependencies.bus.isConnected(),
      batchEventsMax: BATCH_EVENTS_MAX,
    });
  }

  /** Events of all runs in log order: lanes and triggers concern every planner, decisions those of its own shards. */
  private async take(events: readonly RecordedEvent[]): Promise<void> {
    this.handling = events.at(-1)?.position ?? this.handling;
    const broadcasts: RecordedEvent[] = [];
    await this.lanes.fold(events);
    for (const event of events) {
      this.triggers.fold(event);
      if (event.runId === BROADCAST_RUN) broadcasts.push(event);
    }
    await this.planner?.take(events.filter(({ runId }) => runId !== BROADCAST_RUN && this.shards.owns(runId)));
    for (const recorded of broadcasts) await this.broadcast(recorded, this.shards.owned);
    await this.lanes.admit();
  }

  private async broadcast(recorded: RecordedEvent, shards: readonly number[]): Promise<void> {
    const event = openEvent(recorded);
    if (event.type !== 'SignalReceived') return;
    const arrival = { namespace: recorded.namespace, received: event.data, lineage: lineageOf(recorded.metadata) };
    await this.signals?.broadcast(arrival, shards, shards.includes(shardOf(BROADCAST_RUN)));
  }

  private listen(): void {
    const { bus } = this.dependencies;
    this.hints.push(bus.onHint('decide', (payload) => this.decideHints.take(payload)));
    this.hints.push(bus.onHint('executors', () => this.attempt(() => this.watchExecutors())));
    const stopListening = bus.onReconnect(() => this.attempt(() => this.planner?.look(this.planner.inFlight(), { everything: true })));
    this.hints.push({ close: () => Promise.resolve(stopListening()) });
  }

  private every(intervalMs: number, work: () => Promise<void>): void {
    this.clocks.push(new Clock(intervalMs, work, this.trouble));
  }

  /** Work outside the subscription: trouble passes, and the agenda still has the appointment. */
  private attempt(work: () => Promise<void> | undefined, again: readonly RunId[] = []): void {
    void Promise.resolve(work()).catch((error: unknown) => {
      this.trouble(error);
      for (const runId of again) this.due.add(runId, this.now() + RETRY_MS);
    });
  }

  /** What the subscription is handling just now it still handles for the old shards, so that counts as unread too. */
  private takeOver(shards: readonly number[]): Promise<void> {
    return takeOverShards(shards, Math.max(this.position, this.handling), {
      log: this.dependencies.log,
      agenda: this.agenda,
      look: async (runIds) => this.planner?.look(runIds, { everything: true }),
      broadcast: (event) => this.broadcast(event, shards),
    });
  }

  private async renew(): Promise<void> {
    const { settings: { name, leaseMs }, logger } = this.dependencies;
    if (!(await this.membership.renew(name, this.incarnation, leaseMs))) {
      logger.warn({ event: 'planner_lease_lost', name });
      this.incarnation = await this.membership.join(name, leaseMs);
    }
    const shards = shardsOf(name, await this.membership.list());
    const before = this.shards.owned;
    const gained = await this.writer.inTurn(() => this.claim(shards));
    if (this.shards.owned !== before) await this.settle(gained);
  }

  /** What we know of a shard that another planner had meanwhile is worth nothing, whether we noticed or not. */
  private async claim(shards: readonly number[]): Promise<readonly number[]> {
    const gained = this.shards.gainedBy(shards, await this.agenda.claim(shards));
    if (gained.length === 0 && shards.length === this.shards.owned.length) return gained;
    this.shards.own(shards.filter((shard) => !gained.includes(shard)));
    this.planner?.release(this.shards.owns);
    this.writer.othersWroteUntil(await this.dependencies.log.head());
    this.shards.own(shards);
    return gained;
  }

  /** Invariant: a gained shard counts as taken over only when that went through; otherwise the next renewal tries again. */
  private async settle(gained: readonly number[]): Promise<void> {
    try {
      if (gained.length > 0) await this.takeOver(gained);
      await this.lanes.reconsider();
    } catch (error) {
      this.shards.giveUp();
      this.planner?.release(this.shards.owns); // they get no events from now on
      throw error;
    }
    this.shards.settle();
    this.dependencies.logger.info({ event: 'planner_shards', shards: this.shards.owned.length });
  }

  private async readDue(): Promise<void> {
    const rows = await this.writer.due(this.shards.owned, this.now() + LOOK_AHEAD_MS);
    for (const { runId, wakeAt } of rows) this.due.add(runId, wakeAt);
  }

  /** A claim that the log shows only after its executor's loss was noticed asks by itself. */
  private async watchExecutors(): Promise<void> {
    const losses = await this.watch.refresh();
    if (losses === this.lossesHandled) return;
    const inMemory = this.planner?.lost(this.watch.isLost) ?? [];
    await this.planner?.look(inMemory);
    const elsewhere = (await this.agenda.inFlight(this.shards.owned)).filter((runId) => !inMemory.includes(runId));
    await this.planner?.look(elsewhere);
    // What it had taken off the bus and not claimed would come back only when the bus has waited long for its acknowledgement.
    await this.planner?.look(this.planner.unclaimed(SENT_AGAIN_MAX), { everything: true });
    this.lossesHandled = losses;
  }
}
