export { Executor, type ExecutorDependencies, type ExecutorSettings } from './executor';
export { ExecutorModule } from './executor.module';
export { executorActions, executorSecrets, executorSettings } from './executor.config';
