import type { Orchestrator, TaskTypeModule } from '../orchestrator';
import { basicTaskType } from './basic.definition';

/** One registered action, run by an executor. What it does between claim and outcome is the executor's business. */
const basicV1: Orchestrator = { type: 'basic', version: 1 };

export const basic: TaskTypeModule = { definition: basicTaskType as TaskTypeModule['definition'], worker: 'executor', orchestrators: [basicV1] };
