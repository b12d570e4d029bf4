import { childrenOf, expanded, isOptionalAccess, memberPath, type CelNode, type MemberPath } from './cel-syntax';

/** One place where an expression reads a variable. */
export interface Reference {
  readonly variable: string;
  /** Names and indexes behind the variable as far as they are literal: `tasks.a.output[0]` gives `['a', 'output', 0]`. */
  readonly segments: readonly (string | number)[];
  /** Offset of the variable in the source. */
  readonly position: number;
  /** Inside `has()` or behind `.?`: the expression can do without it. */
  readonly isOptional: boolean;
}

export interface References {
  readonly variables: ReadonlySet<string>;
  /** Ids used as `tasks.<id>`. */
  readonly tasks: ReadonlySet<string>;
  /** `tasks` itself is used, or indexed by something computed. */
  readonly allTasks: boolean;
  readonly uses: readonly Reference[];
}

export const NO_REFERENCES: References = { variables: new Set(), tasks: new Set(), allTasks: false, uses: [] };

export const referencesOf = (uses: readonly Reference[]): References => {
  const ofTasks = uses.filter((use) => use.variable === 'tasks');
  return {
    variables: new Set(uses.map((use) => use.variable)),
    tasks: new Set(ofTasks.map((use) => use.segments[0]).filter((id) => typeof id === 'string')),
    allTasks: ofTasks.some((use) => typeof use.segments[0] !== 'string'),
    uses,
  };
};

export const mergeReferences = (all: readonly References[]): References =>
  all.length === 1 && all[0] ? all[0] : referencesOf(all.flatMap((references) => references.uses));

/** All variables that the tree reads and does not bind itself. */
export const collectReferences = (node: CelNode): References => {
  const uses: Reference[] = [];
  collect(node, new Set(), false, uses);
  return referencesOf(uses);
};

const collect = (given: CelNode, bound: ReadonlySet<string>, isOptional: boolean, uses: Reference[]): void => {
  const node = expanded(given);
  if (node.op === 'value') return;
  const path = memberPath(node);
  if (path) return collectPath(path, bound, isOptional, uses);
  const inHas = isOptional || isHas(node);
  for (const { node: child, binds } of childrenOf(node)) {
    collect(child, binds === undefined ? bound : new Set([...bound, binds]), inHas, uses);
  }
};

const isHas = ({ meta: { macro } }: CelNode): boolean => macro?.args !== undefined && macro.receiver === undefined;

const collectPath = (path: MemberPath, bound: ReadonlySet<string>, isOptional: boolean, uses: Reference[]): void => {
  const variable = path.root.args as string; // an `id` node's argument is its name
  if (bound.has(variable) || expanded(path.root).op === 'value') return;
  uses.push({
    variable,
    segments: path.segments,
    position: path.root.start,
    isOptional: isOptional || path.nodes.some(isOptionalAccess),
  });
};
