import { suggest } from '../did-you-mean';
import type { Fault, Segment } from '../task-type.definition';
import type { JsonSchema, TaskCommon } from '../task.definition';
import type { TextFault, Use } from './check-expressions';
import type { ListFlow } from './list-flow';
import { undeclaredField } from './schema-members';
import { allTasks, outwards, type ListNode, type TaskNode } from './task-tree';

/** What a reference is checked against. */
export interface ReferenceScope {
  readonly root: ListNode;
  readonly flowOf: (list: ListNode) => ListFlow;
  readonly input: JsonSchema | undefined;
}

export interface FieldScope {
  /** The task whose field it is; `undefined` for fields of the document. */
  readonly node: TaskNode | undefined;
  /** Variables that exist here besides the usual ones. */
  readonly variables: readonly string[];
  /** The task itself may be referred to: it has ended. */
  readonly isDeferred: boolean;
}

/** The variables every expression sees, with their members where they are fixed. */
const VARIABLES: ReadonlyMap<string, readonly string[] | undefined> = new Map([
  ['input', undefined],
  ['env', undefined],
  ['run', ['id', 'workflow', 'requestedAt']],
  ['task', ['id', 'attempt', 'error']],
  ['tasks', undefined],
  ['previous', undefined],
  ['parent', undefined],
]);
const TASK_MEMBERS = ['status', 'input', 'output', 'error', 'children'];

export const checkUse = (use: Use, field: FieldScope, scope: ReferenceScope): TextFault[] => {
  const fault = faultOf(use, field, scope);
  return fault ? [{ at: use.at, position: use.reference.position, ...fault }] : [];
};

type Found = Omit<Fault, 'at'> | undefined;

const faultOf = ({ reference }: Use, field: FieldScope, scope: ReferenceScope): Found => {
  const { variable, segments, isOptional } = reference;
  if (field.variables.includes(variable)) return undefined;
  if (!VARIABLES.has(variable)) {
    return { code: 'unknown_variable', message: `Unknown variable "${variable}"`, ...suggestVariable(variable, field, scope) };
  }
  if (variable === 'tasks') return taskFault(segments, isOptional, field, scope);
  if (variable === 'input') return isOptional ? undefined : schemaFault('input', undeclaredField(scope.input, segments));
  return memberFault(variable, segments[0], VARIABLES.get(variable));
};

const suggestVariable = (variable: string, { variables }: FieldScope, { root }: ReferenceScope): { hint?: string } => {
  const isTask = [...allTasks(root)].some(({ task }) => task.id === variable);
  return isTask ? { hint: `A task's result is at tasks.${variable}.output` } : suggest(variable, [...VARIABLES.keys(), ...variables]);
};

const memberFault = (variable: string, member: Segment | undefined, known: readonly string[] | undefined): Found =>
  known === undefined || typeof member !== 'string' || known.includes(member)
    ? undefined
    : { code: 'unknown_variable', message: `\`${variable}\` has no "${member}", only ${known.join(', ')}`, ...suggest(member, known) };

const schemaFault = (what: string, undeclared: { path: string; known: readonly string[]; name: string } | undefined): Found =>
  undeclared && { code: 'undeclared_field', message: `\`${what}${undeclared.path}\` is not in the declared schema`, ...suggest(undeclared.name, undeclared.known) };

const taskFault = ([id, member, ...rest]: readonly Segment[], isOptional: boolean, field: FieldScope, scope: ReferenceScope): Found => {
  if (typeof id !== 'string') return undefined;
  const found = resolveTask(id, field, scope);
  if (!('node' in found)) return found.fault;
  const unknownMember = memberFault(`tasks.${id}`, member, TASK_MEMBERS);
  if (unknownMember || isOptional) return unknownMember;
  if (member === 'children') return childFault(found.node, rest[0]);
  return member === 'output' ? outputFault(found.node.task, rest) : undefined;
};

const childFault = ({ task, children }: TaskNode, child: Segment | undefined): Found => {
  if (typeof child !== 'string' || children.length === 0 || children.some(({ visibility }) => visibility === 'items')) return undefined;
  const ids = children.flatMap(({ nodes }) => nodes.map((node) => node.task.id));
  return ids.includes(child) ? undefined : { code: 'unknown_task', message: `"${task.id}" has no child "${child}"`, ...suggest(child, ids) };
};

/** With `outputs` the result has exactly these keys, else what its schema declares. */
const outputFault = (task: TaskCommon, segments: readonly Segment[]): Found => {
  const [key] = segments;
  if (task.outputs && typeof key === 'string' && !Object.hasOwn(task.outputs, key)) {
    return { code: 'undeclared_field', message: `The outputs of "${task.id}" have no "${key}"`, ...suggest(key, Object.keys(task.outputs)) };
  }
  return schemaFault(`tasks.${task.id}.output`, undeclaredField(task.output, segments));
};

type Resolved = { readonly node: TaskNode } | { readonly fault: Found };

/** The nearest task of that id that may have run by then, or why there is none. */
const resolveTask = (id: string, field: FieldScope, scope: ReferenceScope): Resolved => {
  const resolved = field.node ? resolveOutwards(id, field, scope) : resolveAtEnd(id, scope);
  if (resolved) return resolved;
  return { fault: missingTask(id, field, scope) };
};

/** For fields of the document: the output of the run may refer to any task of its list. */
const resolveAtEnd = (id: string, { root, flowOf }: ReferenceScope): Resolved | undefined => {
  const node = root.nodes[flowOf(root).indexOf(id) ?? -1];
  return node && { node };
};

const resolveOutwards = (id: string, field: FieldScope, scope: ReferenceScope): Resolved | undefined => {
  for (const from of field.node ? outwards(field.node) : []) {
    const resolved = resolveBeside(from, id, field, scope);
    if (resolved) return resolved;
  }
  return undefined;
};

/** Among the tasks of the list that `from` stands in. */
const resolveBeside = (from: TaskNode, id: string, field: FieldScope, scope: ReferenceScope): Resolved | undefined => {
  const { list } = from;
  const flow = scope.flowOf(list);
  const index = flow.indexOf(id);
  const target = index === undefined ? undefined : list.nodes[index];
  if (index === undefined || !target) return undefined;
  if (target === field.node && field.isDeferred) return { node: target };
  if (list.order === 'branches' && target !== from) {
    return { fault: { code: 'sibling_branch', message: `"${id}" runs at the same time: its result is there after "${list.owner?.task.id}" has ended` } };
  }
  if (flow.mayPrecede(index, list.nodes.indexOf(from))) return { node: target };
  return { fault: { code: 'task_not_yet_run', message: `"${id}" cannot have run by then` } };
};

const missingTask = (id: string, field: FieldScope, scope: ReferenceScope): Found => {
  const elsewhere = [...allTasks(scope.root)].find(({ task }) => task.id === id);
  const collection = elsewhere && [...outwards(elsewhere)].find(({ list }) => list.visibility === 'items' && list.owner)?.list.owner;
  if (collection) {
    return { code: 'inner_task_of_collection', message: `"${id}" runs once per item of "${collection.task.id}"`, hint: `Use tasks.${collection.task.id}.output.results` };
  }
  const owner = elsewhere?.list.owner;
  if (owner) return { code: 'unknown_task', message: `"${id}" is inside "${owner.task.id}"`, hint: `Use tasks.${owner.task.id}.children.${id}` };
  return { code: 'unknown_task', message: `No task "${id}"`, ...suggest(id, visibleIds(field, scope)) };
};

const visibleIds = ({ node }: FieldScope, { root }: ReferenceScope): string[] =>
  (node ? [...outwards(node)].map(({ list }) => list) : [root]).flatMap(({ nodes }) => nodes.map(({ task }) => task.id));
