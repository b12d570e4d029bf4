import type { Orchestrator, TaskTypeModule } from '../orchestrator';
import { signalTaskType } from './signal.definition';

/** Delivers a signal to whoever waits for it. */
const signalV1: Orchestrator = {
  type: 'signal',
  version: 1,
  begin: () => [{ kind: 'begin' }],
};

export const signal: TaskTypeModule = { definition: signalTaskType as TaskTypeModule['definition'], orchestrators: [signalV1] };
