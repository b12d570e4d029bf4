export * from './contracts';
export { EventRefused, LogUnavailable, type AppendOutcome, type Commit, type EventLog } from './log/event-log.port';
export {
  BusUnavailable, type Bus, type FeedMessage, type HintTopic, type StepDelivery, type Subscription,
} from './bus/bus.port';
export { EmbeddedBus, type EmbeddedBusOptions } from './bus/embedded/embedded-bus.adapter';
export type { DeliveryFaults } from './bus/embedded/delivery-faults';
export { connectNatsBus, NatsBus, type NatsBusOptions } from './bus/nats/nats-bus.adapter';
export type { BusTrouble } from './bus/nats/nats-link';
export { feedSubject } from './bus/subjects';
