export { Executor, type ExecutorDependencies, type ExecutorSettings } from './executor';
export { serveSteps } from './serve-steps';
export { executorActions, executorSecrets, executorSettings } from './executor.config';
