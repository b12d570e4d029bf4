import { z } from 'zod';
import type { SchemaFault } from './zod-faults';
import { valueAt } from './zod-faults';
import { strict } from './schema-fields';
import type { Segment, TaskTypeDefinition } from './task-type.definition';

/**
 * One fault must not hide the others: what the schema refused is cut out, and the static checks run on the rest. A task
 * that cannot be read is replaced by a stand-in of this type, so that its id and its place in the list stay known.
 */
const FAULTY = '$faulty';
export const faultyTaskType: TaskTypeDefinition = {
  type: FAULTY,
  summary: '',
  schema: () => strict({ type: z.literal(FAULTY), id: z.string() }),
  leadsAnywhere: true,
};

type Container = Record<Segment, unknown>;

/** A copy of the value without the faulty parts; missing fields may come to light by it, so callers repeat. */
export const cutOut = (value: unknown, faults: readonly SchemaFault[]): unknown => {
  const copy: unknown = structuredClone(value);
  for (const fault of faults) {
    const task = fault.code === 'missing_field' || fault.code === 'unknown_task_type' ? taskAround(copy, fault) : undefined;
    if (task) replaceByFaulty(copy, task);
    else remove(copy, fault.code === 'missing_field' ? fallback(copy, fault) : fault.at);
  }
  return copy;
};

/** The task that lacks a field of its own. */
const taskAround = (value: unknown, fault: SchemaFault): readonly Segment[] | undefined => {
  const at = fault.code === 'unknown_task_type' ? fault.at.slice(0, -1) : fault.at;
  const owner = valueAt(value, at);
  const isTask = at.length > 0 && isContainer(owner) && (Object.hasOwn(owner, 'type') || fault.message === '`type` is missing');
  return isTask ? at : undefined;
};

/** A part that lacks a field is cut out whole; the document itself gets a name to go on with. */
const fallback = (value: unknown, { at }: SchemaFault): readonly Segment[] => {
  if (at.length === 0 && isContainer(value) && !Object.hasOwn(value, 'workflow')) value['workflow'] = 'unnamed';
  return at;
};

const replaceByFaulty = (value: unknown, at: readonly Segment[]): void => {
  const owner = valueAt(value, at.slice(0, -1));
  const key = at.at(-1);
  if (!isContainer(owner) || key === undefined) return;
  const id = valueAt(owner[key], ['id']);
  owner[key] = { type: FAULTY, id: typeof id === 'string' ? id : `${FAULTY}${String(key)}` };
};

const remove = (value: unknown, at: readonly Segment[]): void => {
  const owner = valueAt(value, at.slice(0, -1));
  const key = at.at(-1);
  if (!isContainer(owner) || key === undefined) return;
  if (Array.isArray(owner)) owner[Number(key)] = null; // stays in place, so that the others keep their indexes
  else delete owner[key];
};

const isContainer = (value: unknown): value is Container => typeof value === 'object' && value !== null;
