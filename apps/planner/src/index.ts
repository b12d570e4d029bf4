export { PlannerModule } from './planner.module';
export { PlannerRuntime, type PlannerDependencies, type PlannerSettings } from './planner-runtime';
export { plannerSettings } from './planner.config';
export { checkLog } from './check/check-log';
export { databaseLog, exportedLog, exportLines } from './check/recorded-logs';
