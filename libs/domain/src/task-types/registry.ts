import type { TaskType } from '@foldwork/events/contracts';
import type { TaskTypeDefinition } from '../definition';
import { aggregate } from './aggregate/aggregate.orchestrator';
import { basic } from './basic/basic.orchestrator';
import { collection } from './collection/collection.orchestrator';
import { composite } from './composite/composite.orchestrator';
import type { Orchestrator, TaskTypeModule } from './orchestrator';
import { parallel } from './parallel/parallel.orchestrator';
import { router } from './router/router.orchestrator';
import { signal } from './signal/signal.orchestrator';
import { wait } from './wait/wait.orchestrator';

/** The eight types. Leaving one out, or naming it wrongly, does not compile. */
const BUILT_IN: { readonly [T in TaskType]: TaskTypeModule } = { basic, wait, signal, router, parallel, collection, composite, aggregate };

/** Task types by name. One registration is all that a new type needs. */
export class TaskTypeRegistry {
  private readonly modules = new Map<string, TaskTypeModule>();

  constructor(modules: readonly TaskTypeModule[]) {
    for (const module of modules) this.register(module);
  }

  /** Registers a type, or replaces it. Throws on a module without a name or a rule, or whose rule does not suit its worker. */
  register(module: TaskTypeModule): void {
    const { type } = module.definition;
    if (type.trim() === '') throw new Error('a task type needs a name');
    if (module.orchestrators.length === 0) throw new Error(`task type ${type} has no orchestrator`);
    const isExecuted = module.worker === 'executor';
    if (module.orchestrators.some(({ begin }) => (begin === undefined) !== isExecuted)) throw new Error(`task type ${type}: what an executor runs has no \`begin\`, all else needs one`);
    this.modules.set(type, module);
  }

  /** Whether definitions may use the type. */
  isRegistered(type: string): boolean {
    return this.modules.has(type);
  }

  /** All that the definition language needs to know. */
  definitions(): readonly TaskTypeDefinition[] {
    return [...this.modules.values()].map(({ definition }) => definition);
  }

  /** What the language knows of a type. Throws on an unknown one. */
  definitionOf(type: string): TaskTypeDefinition {
    return this.moduleOf(type).definition;
  }

  /** The rule of a type in a version; without one, version 1: what runs of before have. Throws on an unknown one. */
  orchestratorFor(type: string, version = 1): Orchestrator {
    const found = this.moduleOf(type).orchestrators.find((each) => each.version === version);
    if (found === undefined) throw new Error(`task type ${type} has no orchestrator of version ${version}`);
    return found;
  }

  /** The versions of a type's rule, oldest first. Throws on an unknown type. */
  versionsOf(type: string): readonly number[] {
    return this.moduleOf(type).orchestrators.map(({ version }) => version);
  }

  /** What the engine must know of a type beyond its rule. */
  traitsOf(type: string): Pick<TaskTypeModule, 'worker' | 'choosesNext' | 'timeLimit'> {
    return this.moduleOf(type);
  }

  /**
   * The versions that a new run begins with, for `RunRequested.orchestrators`: the wanted ones, without those that are 1
   * anyway. Throws on a type or a version that is not registered.
   */
  versionsFor(wanted: Readonly<Record<string, number>>): { [type: string]: number } {
    for (const [type, version] of Object.entries(wanted)) this.orchestratorFor(type, version);
    return Object.fromEntries(Object.entries(wanted).filter(([, version]) => version !== 1));
  }

  private moduleOf(type: string): TaskTypeModule {
    const module = this.modules.get(type);
    if (module === undefined) throw new Error(`unknown task type: ${type}`);
    return module;
  }
}

export const taskTypes = new TaskTypeRegistry(Object.values(BUILT_IN));
