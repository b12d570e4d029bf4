/** What V8 writes: a tree of calls, and which node was on top at each sample. */
export interface CpuProfile {
  readonly nodes: readonly ProfileNode[];
  readonly samples: readonly number[];
  readonly timeDeltas: readonly number[];
}

interface ProfileNode {
  readonly id: number;
  readonly callFrame: { readonly functionName: string; readonly url: string; readonly lineNumber: number };
  readonly children?: readonly number[];
}

export interface TimesByName {
  readonly sumMs: number;
  /** Time of its own. */
  readonly own: ReadonlyMap<string, number>;
  /** With everything it called, recursion counted once. */
  readonly total: ReadonlyMap<string, number>;
  /** By package; what Node does is put down to the package that called it. */
  readonly byPackage: ReadonlyMap<string, number>;
}

/** Not work: waiting, and starting the profiler itself. */
const IGNORED = new Set(['(idle)', 'startProfile benchmarks']);

export const timesByName = (profile: CpuProfile): TimesByName => new TreeWalk(profile).times();

interface Above {
  readonly names: ReadonlySet<string>;
  readonly package: string;
}

class TreeWalk {
  private readonly selfById = new Map<number, number>();
  private readonly byId: ReadonlyMap<number, ProfileNode>;
  private readonly own = new Map<string, number>();
  private readonly total = new Map<string, number>();
  private readonly byPackage = new Map<string, number>();

  constructor(private readonly profile: CpuProfile) {
    const { nodes, samples, timeDeltas } = profile;
    this.byId = new Map(nodes.map((node) => [node.id, node]));
    samples.forEach((id, index) => add(this.selfById, id, (timeDeltas[index] ?? 0) / 1000));
  }

  times(): TimesByName {
    const [root] = this.profile.nodes;
    const sumMs = root === undefined ? 0 : this.visit(root, { names: new Set(), package: 'node' });
    return { sumMs, own: this.own, total: this.total, byPackage: this.byPackage };
  }

  /** Returns the time of the node and everything below it. */
  private visit(node: ProfileNode, above: Above): number {
    const name = nameOf(node);
    if (IGNORED.has(name)) return 0;
    const inside = { names: above.names.has(name) ? above.names : new Set(above.names).add(name), package: packageOf(node) ?? above.package };
    const selfMs = this.selfById.get(node.id) ?? 0;
    add(this.own, name, selfMs);
    add(this.byPackage, name === '(garbage collector)' ? name : inside.package, selfMs);
    let total = selfMs;
    for (const id of node.children ?? []) {
      const child = this.byId.get(id);
      if (child !== undefined) total += this.visit(child, inside);
    }
    if (!above.names.has(name)) add(this.total, name, total);
    return total;
  }
}

const add = <K>(sums: Map<K, number>, key: K, value: number): void => void sums.set(key, (sums.get(key) ?? 0) + value);

const nameOf = ({ callFrame: { functionName, url, lineNumber } }: ProfileNode): string => {
  const name = functionName === '' ? '(anonymous)' : functionName;
  if (url.includes('/benchmarks/')) return `${name} benchmarks`;
  return url === '' ? name : `${name} ${shortPath(url)}:${lineNumber + 1}`;
};

/** From the package or the workspace on. */
const shortPath = (url: string): string => /(?:node_modules|dist)\/(.*)$/.exec(url)?.[1] ?? url;

/** `pg`, `@nats-io/nats-core`, `libs/events/src/log`, `apps/planner`; nothing for Node itself. */
const packageOf = ({ callFrame: { url } }: ProfileNode): string | undefined => {
  if (url === '' || url.startsWith('node:')) return undefined;
  return /^(?:@[^/]+\/[^/]+|libs\/[^/]+\/src\/[^/]+|apps\/[^/]+|[^/]+)/.exec(shortPath(url))?.[0];
};
