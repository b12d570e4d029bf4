export * from './contracts';
export { EventRefused, LogUnavailable, type AppendOutcome, type Commit, type EventLog } from './log/event-log.port';
export { isStorable, refusalOf } from './log/event-validation';
export {
  BusUnavailable, type Bus, type FeedMessage, type HintTopic, type StepDelivery, type Subscription,
} from './bus/bus.port';
export { EmbeddedBus, type EmbeddedBusOptions } from './bus/embedded/embedded-bus.adapter';
export type { DeliveryFaults } from './bus/embedded/delivery-faults';
export { connectNatsBus, NatsBus, type NatsBusOptions } from './bus/nats/nats-bus.adapter';
export type { BusTrouble } from './bus/nats/nats-link';
export { feedSubject } from './bus/subjects';
export { createPostgresEventLog, PostgresEventLog, type PostgresEventLogOptions } from './log/postgres-event-log.adapter';
export { InMemoryEventLog, type InMemoryEventLogOptions } from './log/in-memory-event-log.adapter';
export { InMemoryCheckpointStore, type CheckpointStore } from './log/checkpoint-store.port';
export { PostgresCheckpointStore } from './log/postgres-checkpoint-store.adapter';
export { InMemoryDefinitionStore, type DefinitionStore } from './log/definition-store.port';
export { PostgresDefinitionStore } from './log/postgres-definition-store.adapter';
export { APPLICATION_ROLE, connectionSettings, type LogConnection, type SessionLimits } from './log/connection-settings';
export { eventHash, GENESIS_HASH } from './log/event-hash';
export { logMigrations } from './log/log-migrations';
export { LogGap, LogSubscription, type LogCursor, type LogSubscriptionOptions } from './log/log-subscription.consumer';
export { savedCursor } from './log/saved-cursor';
export { verifyLog, type LogFault, type LogVerification, type VerifyLogOptions } from './log/verify-log';
export { breakWhenSilent } from './log/break-when-silent';
export { toLogUnavailable } from './log/postgres-failure';
export { Agenda, awaitedKey, type AgendaChanges, type AgendaEntry } from './coordination/agenda.adapter';
export { Membership, type Member, type MemberRole } from './coordination/membership.adapter';
export { ActionDirectory, type ActionEntry } from './coordination/action-directory.adapter';
