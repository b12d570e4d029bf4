export * from './json';
export * from './ids';
export * from './domain-event.events';
export * from './envelope';
export * from './hints';
export * from './step.commands';
