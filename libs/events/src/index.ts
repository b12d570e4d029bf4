export * from './contracts';
export { EventRefused, LogUnavailable, type AppendOutcome, type Commit, type EventLog } from './log/event-log.port';
export {
  BusUnavailable, type Bus, type FeedMessage, type HintTopic, type StepDelivery, type Subscription,
} from './bus/bus.port';
