import { isPlain, toCel, toComparable } from './cel-values';
import { calculate } from './number-operators';
import {
  childrenOf, comprehensionOf, expanded, memberPath, walk, type CelEvaluate, type CelEvaluator, type CelNode, type Comprehension,
} from './cel-syntax';
import { meter } from './cost-meter';

/**
 * Makes an evaluation pay for its work and see exact numbers. Invariants:
 * 1. A comprehension is charged for all its rounds, nested ones over known lists included, before its first round.
 * 2. Whatever grows (text, lists) is charged by its size when it is made; whatever looks at whole values by theirs.
 * 3. Every leaf of the scope goes through `toCel`.
 */
export const meterEvaluation = (root: CelNode): void => {
  const nodes: CelNode[] = [];
  walk(root, (node) => nodes.push(node));
  // From the leaves up: a parent adds to what its operands do.
  for (const node of nodes.toReversed()) {
    const wrap = WRAPPERS[node.op];
    if (wrap) node.setMeta('evaluate', wrap(node.meta.evaluate, node));
  }
};

type Wrapper = (evaluate: CelEvaluate, node: CelNode) => CelEvaluate;

const leaf: Wrapper = (evaluate) => (evaluator, node, context) => toCel(evaluate(evaluator, node, context));

interface VariableContext {
  getValue(name: string): unknown;
}
/** A variable; like `access`, without the library's look at the value's `constructor`. */
const variable: Wrapper = (evaluate) => (evaluator, node, context) => {
  const value = (context as VariableContext).getValue(node.args as string);
  return toCel(value === undefined ? evaluate(evaluator, node, context) : value);
};

/**
 * `a.b` and `a[i]` on JSON are looked up here: the library tells maps by their `constructor`, which data may have as a key.
 * Whatever is not there goes on to the library, which knows optional values and reports what is missing.
 */
const access: Wrapper = (_evaluate, { op }) => (evaluator, node, context) => {
  const [container, key] = node.args as [CelNode, CelNode | string];
  const left = evaluator.run(container, context);
  const right: unknown = op === '.' ? key : evaluator.run(key as CelNode, context);
  const found = member(left, right);
  return toCel(found === undefined ? handle(node, left, right, evaluator) : found);
};
const { hasOwn } = Object;
const { isArray } = Array;
const member = (container: unknown, key: unknown): unknown => {
  if (typeof container !== 'object' || container === null) return undefined;
  if (isArray(container)) return typeof key === 'number' || typeof key === 'bigint' ? container[Number(key)] : undefined;
  return typeof key === 'string' && isPlain(container) && hasOwn(container, key) ? container[key] : undefined;
};

const operands = (node: CelNode): readonly [CelNode, CelNode] => node.args as [CelNode, CelNode];

interface Handled {
  readonly handle: (left: unknown, right: unknown, node: CelNode, evaluator: CelEvaluator) => unknown;
}
/** The type checker leaves the operator's implementation on the node. */
const handle = (node: CelNode, left: unknown, right: unknown, evaluator: CelEvaluator): unknown =>
  (node as unknown as Handled).handle(left, right, node, evaluator);

/** A value is looked at several times when it is compared: for its cost, for exact numbers, and to compare. */
const COMPARED = 6;

const comparison: Wrapper = () => (evaluator, node, context) => {
  const [leftNode, rightNode] = operands(node);
  const left = evaluator.run(leftNode, context);
  const right = evaluator.run(rightNode, context);
  chargeTexts(left, right);
  if (typeof left !== 'object' && typeof right !== 'object') return handle(node, left, right, evaluator);
  meter.chargeValue(left, COMPARED);
  meter.chargeValue(right, COMPARED);
  return handle(node, toComparable(left), toComparable(right), evaluator);
};

/** `<` and the like. */
const ordering: Wrapper = () => (evaluator, node, context) => {
  const [leftNode, rightNode] = operands(node);
  const left = evaluator.run(leftNode, context);
  const right = evaluator.run(rightNode, context);
  chargeTexts(left, right);
  return handle(node, left, right, evaluator);
};

/** Characters of two texts that cost as much to compare as one node: they are compared many at a time. */
const COMPARED_PER_UNIT = 512;
const chargeTexts = (left: unknown, right: unknown): void => {
  if (typeof left === 'string' && typeof right === 'string') meter.charge(Math.min(left.length, right.length) / COMPARED_PER_UNIT);
};

const arithmetic = (operator: '+' | '-' | '*'): Wrapper => () => (evaluator, node, context) => {
  const [leftNode, rightNode] = operands(node);
  const left = evaluator.run(leftNode, context);
  const right = evaluator.run(rightNode, context);
  if (typeof left === 'number' && typeof right === 'number') return calculate(operator, left, right);
  chargeConcatenation(left, right);
  return handle(node, left, right, evaluator);
};
const chargeConcatenation = (left: unknown, right: unknown): void => {
  if (typeof left === 'string') meter.chargeText(left);
  if (typeof right === 'string') meter.chargeText(right);
  if (Array.isArray(left) && Array.isArray(right)) meter.charge(left.length + right.length);
};

/** Functions may look at all of their arguments and return new values; both are paid by size. */
const call: Wrapper = (evaluate, node) => {
  for (const { node: argument } of childrenOf(node)) payFor(expanded(argument));
  return (evaluator, self, context) => {
    const result = evaluate(evaluator, self, context);
    if (typeof result === 'string') meter.chargeText(result);
    else if (Array.isArray(result)) meter.charge(result.length);
    return result;
  };
};
/** A function may go through a text character by character. */
const READ = 4;
const payFor = (node: CelNode): void => {
  const evaluate = node.meta.evaluate;
  node.setMeta('evaluate', (evaluator, self, context) => {
    const value = evaluate(evaluator, self, context);
    if (typeof value === 'string') meter.chargeText(value, READ);
    else if (Array.isArray(value)) meter.charge(value.length / 8);
    return value;
  });
};

const loop: Wrapper = (evaluate, node) => {
  const estimate = estimator(node, new Set());
  return (evaluator, self, context) => {
    meter.require(estimate(evaluator, context));
    return evaluate(evaluator, self, context);
  };
};

type Estimate = (evaluator: CelEvaluator, context: unknown) => number;

/** Upper bound of a loop's cost where the sizes of its lists can be seen; lists made on the way count as one round. */
const estimator = (node: CelNode, bound: ReadonlySet<string>): Estimate => {
  const { iterable, iterVarName, step } = node.args as Comprehension;
  const within = new Set([...bound, iterVarName]);
  const { weight, inner } = bodyOf(step);
  const estimates = inner.map((nested) => estimator(nested, within));
  const size = sizeOf(iterable, bound);
  return (evaluator, context) =>
    size(evaluator, context) * estimates.reduce((sum, estimate) => sum + estimate(evaluator, context), weight);
};

const sizeOf = (iterable: CelNode, bound: ReadonlySet<string>): Estimate => {
  const path = memberPath(iterable);
  if (!path || bound.has(path.root.args as string)) return () => 1;
  return (evaluator, context) => {
    try {
      const value = meter.unmetered(() => evaluator.run(iterable, context));
      return Array.isArray(value) ? value.length : typeof value === 'object' && value !== null ? Object.keys(value).length : 1;
    } catch {
      return 1; // the evaluation itself will report what is wrong with the list
    }
  };
};

/** Nodes evaluated per round, and the loops that are directly inside. */
const bodyOf = (step: CelNode): { weight: number; inner: CelNode[] } => {
  const inner: CelNode[] = [];
  const count = (given: CelNode): number => {
    const node = expanded(given);
    if (comprehensionOf(node)) return inner.push(node), 1;
    return childrenOf(node).reduce((sum, child) => sum + count(child.node), 1);
  };
  const weight = count(step);
  return { weight, inner };
};

/** Charges each round as it comes; `loop` has made sure before that the known ones are affordable. */
const comprehension: Wrapper = (evaluate, node) => {
  const { iterable, step } = node.args as Comprehension;
  const { weight } = bodyOf(step);
  const list = expanded(iterable);
  const evaluateList = list.meta.evaluate;
  list.setMeta('evaluate', (evaluator, self, context) => {
    const value = evaluateList(evaluator, self, context);
    meter.charge(rounds(value) * weight);
    return value;
  });
  return loop(evaluate, node);
};
const rounds = (value: unknown): number => {
  if (Array.isArray(value)) return value.length;
  return typeof value === 'object' && value !== null ? Object.keys(value).length : 1;
};

const WRAPPERS: Readonly<Record<string, Wrapper>> = {
  id: variable, '.': access, '[]': access, '.?': leaf, '[?]': leaf,
  '==': comparison, '!=': comparison, in: comparison,
  '<': ordering, '<=': ordering, '>': ordering, '>=': ordering,
  '+': arithmetic('+'), '-': arithmetic('-'), '*': arithmetic('*'),
  call, rcall: call, comprehension,
};
