export { startThrowawayNats, type ThrowawayNats, type ThrowawayNatsOptions } from './nats/throwaway-nats';
