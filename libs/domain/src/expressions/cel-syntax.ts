import type { ASTNode } from '@marcbachmann/cel-js';

/**
 * The parts of the library's syntax tree that it does not declare: what a macro expands to and how a node evaluates.
 * Everything that knows about them is in this file and in `metered-evaluation.ts`; their specs fail if an upgrade
 * changes them.
 */
export interface CelNode {
  readonly op: string;
  readonly args: unknown;
  readonly start: number;
  readonly end: number;
  readonly input: string;
  readonly meta: CelNodeMeta;
  setMeta(key: 'evaluate', evaluate: CelEvaluate): unknown;
}
export interface CelNodeMeta {
  readonly evaluate: CelEvaluate;
  readonly alternate?: CelNode;
  readonly macro?: CelMacro;
}
/** `has(x)` carries `args`; `cel.bind(var, val, exp)` and `optional.orValue(arg)` their parts. */
interface CelMacro {
  readonly args?: readonly CelNode[];
  readonly var?: string;
  readonly val?: CelNode;
  readonly exp?: CelNode;
  readonly receiver?: CelNode;
  readonly arg?: CelNode;
}
export interface CelEvaluator {
  run(node: CelNode, context: unknown): unknown;
}
export type CelEvaluate = (evaluator: CelEvaluator, node: CelNode, context: unknown) => unknown;

export interface Comprehension {
  readonly iterable: CelNode;
  readonly iterVarName: string;
  readonly init: CelNode;
  readonly step: CelNode;
}

export const asCelNode = (node: ASTNode): CelNode => node as unknown as CelNode;
/** The node that is evaluated in place of `node`: macros expand. */
export const expanded = (node: CelNode): CelNode => node.meta.alternate ?? node;
export const comprehensionOf = (node: CelNode): Comprehension | undefined =>
  node.op === 'comprehension' ? (node.args as Comprehension) : undefined;

/** A child and the variable that its parent binds in it, if any. */
interface Child {
  readonly node: CelNode;
  readonly binds?: string;
}

const isNode = (value: unknown): value is CelNode => typeof value === 'object' && value !== null && 'op' in value && 'meta' in value;

const macroChildren = ({ args = [], val, exp, var: name, receiver, arg }: CelMacro): Child[] => {
  if (val && exp && name !== undefined) return [{ node: val }, { node: exp, binds: name }];
  if (receiver && arg) return [{ node: receiver }, { node: arg }];
  return args.map((node) => ({ node }));
};

export const childrenOf = (given: CelNode): Child[] => {
  const node = expanded(given);
  if (node.meta.macro) return macroChildren(node.meta.macro);
  const loop = comprehensionOf(node);
  if (loop) return [{ node: loop.iterable }, { node: loop.init }, { node: loop.step, binds: loop.iterVarName }];
  const nested = Array.isArray(node.args) ? node.args.flat(2) : [node.args];
  return nested.filter(isNode).map((child) => ({ node: child }));
};

/** Every node below, each once, `node` included, after expansion. */
export const walk = (node: CelNode, visit: (node: CelNode) => void): void => {
  visit(expanded(node));
  for (const child of childrenOf(node)) walk(child.node, visit);
};

export interface MemberPath {
  readonly root: CelNode;
  /** Names and indexes in order, the root's name not among them. */
  readonly segments: readonly (string | number)[];
  /** Where each segment's node ends or starts, for messages. */
  readonly nodes: readonly CelNode[];
}

/** `a.b["c"][0]` as a path; `undefined` for anything that computes. */
export const memberPath = (given: CelNode): MemberPath | undefined => {
  const node = expanded(given);
  if (node.op === 'id') return { root: node, segments: [], nodes: [] };
  const segment = segmentOf(node);
  const base = segment === undefined ? undefined : memberPath((node.args as readonly CelNode[])[0] as CelNode);
  if (!base || segment === undefined) return undefined;
  return { root: base.root, segments: [...base.segments, segment], nodes: [...base.nodes, node] };
};

const segmentOf = (node: CelNode): string | number | undefined => {
  if (node.op !== '.' && node.op !== '.?' && node.op !== '[]' && node.op !== '[?]') return undefined;
  const key = (node.args as readonly unknown[])[1];
  if (typeof key === 'string') return key;
  const literal = isNode(key) && key.op === 'value' ? key.args : undefined;
  if (typeof literal === 'string') return literal;
  return typeof literal === 'bigint' ? Number(literal) : undefined;
};

export const isOptionalAccess = (node: CelNode): boolean => node.op === '.?' || node.op === '[?]';

const PLAIN_NAME = /^[A-Za-z_]\w*$/;
/** `tasks.a.output["x y"][0]`. */
export const formatPath = (root: string, segments: readonly (string | number)[]): string =>
  segments.reduce<string>((path, segment) => {
    if (typeof segment === 'number') return `${path}[${segment}]`;
    return PLAIN_NAME.test(segment) ? `${path}.${segment}` : `${path}[${JSON.stringify(segment)}]`;
  }, root);
