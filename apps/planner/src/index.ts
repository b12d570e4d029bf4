export { PlannerModule } from './planner.module';
export { PlannerRuntime, type PlannerDependencies, type PlannerSettings } from './planner-runtime';
export { plannerSettings } from './planner.config';
