export { PlannerModule } from './planner.module';
export type { PlannerDependencies, PlannerSettings } from './planner-dependencies';
export { PlannerRuntime } from './planner-runtime';
export { plannerSettings } from './planner.config';
export { checkLog } from './check/check-log';
export { databaseLog, exportedLog, exportLines } from './check/recorded-logs';
