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

export interface FunctionTime {
  readonly name: string;
  readonly selfMs: number;
  /** With everything it called, recursion counted once. */
  readonly totalMs: number;
}

const IDLE = new Set(['(idle)', '(root)']);

/** Functions by time of their own, most first; waiting is left out. */
export const selfTimes = ({ nodes, samples, timeDeltas }: CpuProfile): FunctionTime[] => {
  const own = new Map<number, number>();
  samples.forEach((id, index) => own.set(id, (own.get(id) ?? 0) + (timeDeltas[index] ?? 0) / 1000));
  const byId = new Map(nodes.map((node) => [node.id, node]));
  const self = new Map<string, number>();
  const total = new Map<string, number>();
  const visit = (node: ProfileNode, above: ReadonlySet<string>): number => {
    const name = nameOf(node);
    const inside = above.has(name) ? above : new Set(above).add(name);
    const selfMs = own.get(node.id) ?? 0;
    const below = (node.children ?? []).map((id) => byId.get(id)).reduce((sum, child) => sum + (child ? visit(child, inside) : 0), 0);
    self.set(name, (self.get(name) ?? 0) + selfMs);
    if (!above.has(name)) total.set(name, (total.get(name) ?? 0) + selfMs + below);
    return selfMs + below;
  };
  const [root] = nodes;
  if (root !== undefined) visit(root, new Set());
  return [...self].map(([name, selfMs]) => ({ name, selfMs, totalMs: total.get(name) ?? 0 }))
    .filter(({ name }) => !IDLE.has(name)).sort((a, b) => b.selfMs - a.selfMs);
};

const nameOf = ({ callFrame: { functionName, url, lineNumber } }: ProfileNode): string => {
  const name = functionName === '' ? '(anonymous)' : functionName;
  return url === '' ? name : `${name} ${shortPath(url)}:${lineNumber + 1}`;
};

/** From the package or the workspace on. */
const shortPath = (url: string): string => /(?:node_modules|dist)\/(.*)$/.exec(url)?.[1] ?? url;
