import type { Definition, TaskDefinition } from '@foldwork/domain';
import type { Random } from './random';
import type { Script, Story } from './story';

const DEPTH_MAX = 3;
const STRATEGIES = ['wait_all', 'fail_fast', 'best_effort', 'race'] as const;

/** A random story: definitions of all types, nested, with failures, waits, signals, loops, rollbacks. The same seed gives the same. */
export const generateStory = (random: Random): Story => new StoryTeller(random).tell();

class StoryTeller {
  private count = 0;
  private budget: number;
  private readonly signals: { name: string; atMs: number }[] = [];
  private readonly children: Definition[] = [];
  private withRollback = false;
  private childRunDepth = 0;

  constructor(private readonly random: Random) {
    this.budget = random.between(1, 14);
  }

  tell(): Story {
    const { random } = this;
    this.withRollback = random.chance(0.15);
    const rollback = this.withRollback ? { rollback: 'onFailure' as const } : {};
    const definition: Definition = { workflow: 'story', ...rollback, tasks: this.list(0, random.between(1, 5), false) };
    const fromMs = random.below(2_000);
    return {
      definition,
      children: this.children,
      signals: this.signals,
      runRetries: random.chance(0.15) ? 1 : 0,
      ...(random.chance(0.1) && { pause: { fromMs, toMs: fromMs + random.between(1, 20_000) } }),
    };
  }

  private id(): string {
    this.count += 1;
    return `t${this.count}`;
  }

  /** Tasks one after another, with jumps forwards; loops come as a group of their own. */
  private list(depth: number, length: number, inItem: boolean): TaskDefinition[] {
    const tasks: TaskDefinition[] = [];
    for (let index = 0; index < length; index += 1) tasks.push(this.task(depth, inItem));
    return this.withJumps(tasks);
  }

  private withJumps(tasks: TaskDefinition[]): TaskDefinition[] {
    return tasks.map((task, index) => {
      const later = tasks.slice(index + 1).map(({ id }) => id);
      const target = (): string => this.random.pick([...later, 'end']);
      if (task.type === 'router' && task.routes !== undefined && 'x' in task.routes && typeof task.routes.x === 'string') {
        return { ...task, routes: { x: target(), y: target() } };
      }
      return {
        ...task,
        ...(this.random.chance(0.08) && task.type !== 'router' && { onSuccess: { next: target() } }),
        ...(this.random.chance(0.35) && { onError: this.random.chance(0.5) ? { with: {} } : { next: target() } }),
        ...(task.type === 'wait' && task.onTimeout !== undefined && { onTimeout: { next: target() } }),
      };
    });
  }

  private task(depth: number, inItem: boolean): TaskDefinition {
    const { random } = this;
    this.budget -= 1;
    const isSmall = depth >= DEPTH_MAX || this.budget <= 0;
    const kind = isSmall ? random.pick(LEAVES) : random.pick(ALL);
    return { ...this.ofKind(kind, depth, inItem), ...(random.chance(0.08) && { when: random.pick(['true', 'false']) }), ...(random.chance(0.05) && { sleep: random.between(1, 3_000) }) } as TaskDefinition;
  }

  private ofKind(kind: Kind, depth: number, inItem: boolean): TaskDefinition {
    const { random } = this;
    const id = this.id();
    const branches = (): TaskDefinition[] => Array.from({ length: random.between(1, 4) }, () => this.task(depth + 1, inItem));
    const retry = random.chance(0.2) ? { retry: { maximumAttempts: random.between(1, 2), initialInterval: random.between(0, 500) } } : {};
    const build: { readonly [K in Kind]: () => TaskDefinition } = {
      basic: () => this.basic(id, inItem),
      aggregate: () => ({ id, type: 'aggregate', ...(random.chance(0.2) ? { merge: { sources: [{ a: 1 }, { a: 2 }], conflict: 'error' } } : { outputs: { sum: '${ 1 + 2 }' } }) }),
      pauseFor: () => ({ id, type: 'wait', for: random.between(1, 5_000) }),
      waitFor: () => this.waitFor(id, inItem),
      selfSignal: () => ({ id, type: 'signal', signal: { id: `self-${id}`, payload: { from: id }, to: { run: '${ run.id }' } } }),
      router: () => ({ id, type: 'router', condition: `'${random.pick(['x', 'y'])}'`, routes: { x: 'later', y: 'later' } }),
      inlineRouter: () => ({ id, type: 'router', condition: `'${random.pick(['x', 'y', 'z'])}'`, routes: { x: { ...this.basic('inline', inItem) }, y: { ...this.basic('inline', inItem) } } }),
      parallel: () => ({ id, type: 'parallel', strategy: random.pick(STRATEGIES), maxWorkers: random.below(4), tasks: branches(), ...retry }),
      composite: () => ({ id, type: 'composite', tasks: this.list(depth + 1, random.between(1, 3), inItem), ...retry, ...(random.chance(0.2) && { rollback: 'onFailure' as const }) }),
      collection: () => this.collection(id, depth, retry),
      childRun: () => this.childRun(id, depth, retry),
      loop: () => this.loop(id),
    };
    return build[kind]();
  }

  private basic(id: string, inItem: boolean): TaskDefinition {
    const { random } = this;
    const attempts = random.between(1, 3);
    const fails = random.chance(0.16) ? 'always' : random.below(attempts);
    const script: Script = { fails, ms: random.pick([1, 1, 5, 50, 700]), ...(inItem && random.chance(0.2) && { failsAt: random.below(4) }) };
    const effect = random.pick(['none', 'none', 'idempotent', 'keyed', 'once'] as const);
    return {
      id, type: 'basic', action: 'scripted', effect,
      with: { script: { ...script }, ...(inItem && { at: '${ index }' }) },
      retry: { maximumAttempts: attempts, initialInterval: random.between(0, 1_500), backoffCoefficient: 2 },
      ...(effect === 'keyed' && { key: 'run.id' }),
      ...(effect === 'once' && { verify: { action: 'look', found: 'result.found' } }),
      ...(this.childRunDepth === 0 && random.chance(0.1) && { escalate: 'exhausted' as const }),
      ...((this.withRollback || random.chance(0.3)) && { undo: { action: 'undo' } }),
    };
  }

  private waitFor(id: string, inItem: boolean): TaskDefinition {
    const name = `signal-${id}`;
    const comes = !inItem && this.random.chance(0.6);
    if (comes) this.signals.push({ name, atMs: this.random.below(4_000) });
    const limit = comes ? 86_400_000 : this.random.between(1, 20_000);
    return {
      id, type: 'wait', waitFor: name, timeout: limit,
      ...(comes && this.random.chance(0.3) && { processor: { ...this.basic('processor', false) } }),
      ...(this.random.chance(0.3) && { onTimeout: { next: 'later' } }),
    };
  }

  private collection(id: string, depth: number, retry: object): TaskDefinition {
    const { random } = this;
    const items = random.pick(['1..3', '5..1', 'a..b', '1..7', '']);
    const each = Array.from({ length: random.between(1, 2) }, () => this.task(depth + 1, true));
    return {
      id, type: 'collection', items: items === '' ? [] : items,
      each: each.length === 1 ? each : this.withJumps(each),
      strategy: random.pick(STRATEGIES),
      mode: random.pick(['parallel', 'sequential'] as const),
      maxWorkers: random.below(3),
      ...(random.chance(0.3) && { batch: random.between(1, 3) }),
      ...(random.chance(0.3) && { filter: 'index % 2 == 0' }),
      ...retry,
    };
  }

  private childRun(id: string, depth: number, retry: object): TaskDefinition {
    const workflow = `child-${id}`;
    this.childRunDepth += 1; // nobody is there to settle an escalation in a child run
    const tasks = this.list(depth + 1, this.random.between(1, 2), false);
    this.childRunDepth -= 1;
    this.children.push({ workflow, tasks });
    return { id, type: 'composite', workflow, with: { from: id }, ...retry };
  }

  /** check → body → back to check until its visit says no; sometimes more often than the bound. */
  private loop(id: string): TaskDefinition {
    const { random } = this;
    const script: Script = { untilVisit: random.between(1, 4), ms: 1 };
    const [check, body, again] = [`${id}check`, `${id}body`, `${id}again`];
    const tasks: TaskDefinition[] = [
      { id: check, type: 'basic', action: 'scripted', with: { script: { ...script } }, maxVisits: random.between(2, 4) },
      { ...this.basic(body, false) },
      { id: again, type: 'router', condition: `tasks.${check}.output.more ? 'x' : 'y'`, routes: { x: check, y: 'end' } },
    ];
    return { id, type: 'composite', tasks };
  }
}

const LEAVES = ['basic', 'basic', 'basic', 'basic', 'aggregate', 'pauseFor', 'waitFor', 'selfSignal', 'inlineRouter', 'router'] as const;
const ALL = [...LEAVES, 'parallel', 'parallel', 'composite', 'collection', 'collection', 'childRun', 'loop'] as const;
type Kind = (typeof ALL)[number];
