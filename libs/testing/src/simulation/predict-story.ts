import type { TaskDefinition } from '@foldwork/domain';
import type { Script, Story } from './story';

/**
 * A small model of what a story must come to. It knows nothing of events, attempts, time or processes: it reads a
 * definition like a program. `undefined` as status: depends on who is first, so either is right.
 */
export interface Prediction {
  readonly run: 'succeeded' | 'failed' | 'escalated' | 'rolled_back';
  /** By task path. Tasks that do not exist in the end are not in it. */
  readonly statuses: ReadonlyMap<string, string | undefined>;
}

export const predictStory = (story: Story): Prediction => {
  const model = new Model(story);
  const outcome = model.list(story.definition.tasks, '', { index: undefined, certain: true });
  return { run: runStatus(outcome, story.definition.rollback === 'onFailure'), statuses: model.statuses };
};

type Outcome = 'ok' | 'failed' | 'escalated';
interface Place {
  /** In the innermost collection. */
  readonly index: number | undefined;
  /** False where a sibling may end it before it is through. */
  readonly certain: boolean;
}

const runStatus = (outcome: Outcome, rollback: boolean): Prediction['run'] => {
  if (outcome === 'ok') return 'succeeded';
  if (outcome === 'escalated') return 'escalated';
  return rollback ? 'rolled_back' : 'failed';
};

class Model {
  readonly statuses = new Map<string, string | undefined>();
  private readonly signals: ReadonlySet<string>;

  constructor(private readonly story: Story) {
    this.signals = new Set(story.signals.map(({ name }) => name));
  }

  list(tasks: readonly TaskDefinition[], base: string, place: Place): Outcome {
    const visits = new Map<string, number>();
    const notTaken = new Set<string>();
    const planned = tasks.map(({ id }) => join(base, id));
    for (const path of planned) this.note(path, 'pending', place);
    let at = 0;
    while (at < tasks.length) {
      const task = tasks[at] as TaskDefinition;
      if (notTaken.has(task.id)) {
        at += 1;
        continue;
      }
      const visit = (visits.get(task.id) ?? 0) + 1;
      if (visit > (task.maxVisits ?? 99)) return 'failed';
      visits.set(task.id, visit);
      const path = visit === 1 ? join(base, task.id) : `${join(base, task.id)}#${visit}`;
      const step = this.step(task, path, place, visit);
      if ('stop' in step) return step.stop;
      if (step.routes) for (const id of step.routes) notTaken.add(id);
      if (step.next !== undefined) notTaken.delete(step.next);
      const target = step.next === 'end' ? tasks.length : step.next === undefined ? at + 1 : tasks.findIndex(({ id }) => id === step.next);
      at = target;
    }
    for (const [index, { id }] of tasks.entries()) if (!visits.has(id)) this.note(planned[index] as string, 'skipped', place);
    return 'ok';
  }

  /** One task of a list, and where it leads. */
  private step(task: TaskDefinition, path: string, place: Place, visit: number): { stop: Outcome } | { next: string | undefined; routes?: readonly string[] } {
    if (task.when === 'false') {
      this.note(path, 'skipped', place);
      return { next: undefined };
    }
    const { outcome, next, routes } = this.task(task, path, place, visit);
    if (outcome === 'escalated') return { stop: 'escalated' };
    if (outcome === 'failed') {
      if (next === undefined && task.onError === undefined) return { stop: 'failed' };
      return { next: next ?? task.onError?.next };
    }
    return { next: task.type === 'router' ? next : task.onSuccess?.next, ...(routes && { routes }) };
  }

  private task(task: TaskDefinition, path: string, place: Place, visit: number): { outcome: Outcome; next?: string; routes?: readonly string[] } {
    const ended = this.work(task, path, place, visit);
    const status = ended.outcome === 'ok' ? 'completed' : ended.outcome;
    this.note(path, status, place);
    return ended;
  }

  private work(task: TaskDefinition, path: string, place: Place, visit: number): { outcome: Outcome; next?: string; routes?: readonly string[] } {
    switch (task.type) {
      case 'basic':
        return { outcome: basicOutcome(task, place, visit) };
      case 'aggregate':
        return { outcome: task.merge === undefined ? 'ok' : 'failed' };
      case 'signal':
        return { outcome: 'ok' };
      case 'wait':
        return this.wait(task, path, place);
      case 'router':
        return this.router(task, path, place);
      case 'composite':
        return { outcome: this.composite(task, path, place) };
      case 'parallel':
        return { outcome: this.branches(task.strategy, place, task.tasks.map((child) => (inside: Place) => this.branch(child, join(path, child.id), inside)), false) };
      case 'collection':
        return { outcome: this.collection(task, path, place) };
    }
  }

  private wait(task: Extract<TaskDefinition, { type: 'wait' }>, path: string, place: Place): { outcome: Outcome; next?: string } {
    if (task.waitFor === undefined) return { outcome: 'ok' };
    if (!this.signals.has(task.waitFor)) return { outcome: 'failed', ...(task.onTimeout && { next: task.onTimeout.next }) };
    if (task.processor === undefined) return { outcome: 'ok' };
    const processed = this.task(task.processor, `${path}[0]`, place, 1).outcome;
    return { outcome: processed === 'ok' ? 'ok' : 'failed' };
  }

  private router(task: Extract<TaskDefinition, { type: 'router' }>, path: string, place: Place): { outcome: Outcome; next?: string; routes?: readonly string[] } {
    const routes = task.routes as Readonly<Record<string, TaskDefinition | string>>;
    const key = this.loopKey(task.condition ?? '', path) ?? (task.condition ?? '').replaceAll("'", '');
    const target = routes[key];
    if (target === undefined) return { outcome: 'failed' };
    if (typeof target === 'string') return { outcome: 'ok', next: target, routes: Object.values(routes).filter((route) => typeof route === 'string') };
    const inline = Object.values(routes).filter((route) => typeof route !== 'string');
    const id = inline.indexOf(target) === 0 ? 'inline' : 'inline-2';
    return { outcome: this.task(target, join(path, id), place, 1).outcome === 'ok' ? 'ok' : 'failed' };
  }

  /** The router of a loop asks the check of its own visit whether there is more. */
  private loopKey(condition: string, path: string): string | undefined {
    if (!condition.startsWith('tasks.')) return undefined;
    const loop = path.replace(/\/[^/]*$/, '');
    const visit = Number(/#(\d+)$/.exec(path)?.[1] ?? '1');
    return visit < (this.untilVisits.get(loop) ?? 1) ? 'x' : 'y';
  }
  private readonly untilVisits = new Map<string, number>();

  private composite(task: Extract<TaskDefinition, { type: 'composite' }>, path: string, place: Place): Outcome {
    if (task.workflow !== undefined) return this.childRun(task.workflow);
    for (const child of task.tasks ?? []) {
      const { untilVisit } = scriptOf(child);
      if (untilVisit !== undefined) this.untilVisits.set(path, untilVisit);
    }
    return this.list(task.tasks ?? [], path, place) === 'ok' ? 'ok' : 'failed';
  }

  /** An escalated child run waits for a person, and its parent with it: the generator's stories have none. */
  private childRun(workflow: string): Outcome {
    const definition = this.story.children.find((child) => child.workflow === workflow);
    const model = new Model({ ...this.story, signals: [] });
    return model.list(definition?.tasks ?? [], '', { index: undefined, certain: true });
  }

  private collection(task: Extract<TaskDefinition, { type: 'collection' }>, path: string, place: Place): Outcome {
    const all = ITEMS[typeof task.items === 'string' ? task.items : ''] ?? 0;
    const kept = task.filter === undefined ? all : Math.ceil(all / 2);
    const [only] = task.each;
    const runs = Array.from({ length: kept }, (_, index) => (inside: Place) => {
      const item = `${path}[${index}]`;
      const here = { ...inside, index };
      if (task.each.length === 1 && only !== undefined) return this.branch(only, item, here);
      const outcome = this.list(task.each, item, here) === 'ok' ? 'ok' : 'failed';
      this.note(item, outcome === 'ok' ? 'completed' : 'failed', here);
      return outcome;
    });
    return kept === 0 ? 'ok' : this.branches(task.strategy, place, runs, task.mode === 'sequential');
  }

  private branch(task: TaskDefinition, path: string, place: Place): Outcome {
    if (task.when !== 'false') return this.task(task, path, place, 1).outcome;
    this.note(path, 'skipped', place);
    return 'ok';
  }

  /** What the strategy makes of the branches. Where it can end early, nothing is certain of the branches themselves. */
  private branches(strategy: string | undefined, place: Place, runs: readonly ((place: Place) => Outcome)[], _sequential: boolean): Outcome {
    const certain = place.certain && strategy !== 'race' && strategy !== 'fail_fast';
    const outcomes = runs.map((run) => run({ ...place, certain }));
    const succeeded = outcomes.filter((outcome) => outcome === 'ok').length;
    if (strategy === 'race' || strategy === 'best_effort') return succeeded > 0 ? 'ok' : 'failed';
    return succeeded === outcomes.length ? 'ok' : 'failed';
  }

  private note(path: string, status: string, { certain }: Place): void {
    this.statuses.set(path, certain ? status : undefined);
  }
}

const ITEMS: Readonly<Record<string, number>> = { '1..3': 3, '5..1': 5, 'a..b': 2, '1..7': 7 };

const join = (base: string, id: string): string => (base === '' ? id : `${base}/${id}`);

const scriptOf = (task: TaskDefinition): Script => {
  if (task.type !== 'basic' || typeof task.with !== 'object' || task.with === null || !('script' in task.with)) return {};
  return task.with.script as unknown as Script; // the generator wrote it
};

const basicOutcome = (task: Extract<TaskDefinition, { type: 'basic' }>, { index }: Place, _visit: number): Outcome => {
  const { fails, failsAt } = scriptOf(task);
  const fatal = fails === 'always' || (failsAt !== undefined && failsAt === index);
  if (!fatal) return 'ok';
  return task.escalate === undefined ? 'failed' : 'escalated';
};
