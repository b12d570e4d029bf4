import { z } from 'zod';
import { INLINE_TASK } from './document.definition';
import type { TaskTypeDefinition } from './task-type.definition';

export type EditorSchema = { readonly [keyword: string]: unknown };
type Schema = Record<string, unknown>;

/**
 * JSON Schema (draft-07) of a definition as it is written. The union of tasks becomes if/then by `type`, because editors
 * then report the faults of the type that is meant instead of those of all types.
 */
export const buildEditorSchema = (document: z.ZodType, taskTypes: readonly TaskTypeDefinition[]): EditorSchema => {
  const generated = z.toJSONSchema(document, { target: 'draft-07', io: 'input', unrepresentable: 'any', cycles: 'ref', reused: 'inline', override: allowAnyKey }) as Schema;
  const definitions = generated['definitions'] as Schema; // the tasks are always there
  const types = taskTypes.map(({ type }) => type);
  for (const type of types) leaveIdToTask(definitions[`${type}Task`] as Schema);
  for (const name of Object.keys(definitions)) if (name.startsWith(INLINE_TASK)) definitions[name] = taskByType(types, ['type']);
  definitions['task'] = taskByType(types, ['id', 'type']);
  return generated;
};

/** In YAML `true` and `2` are fine as keys of a map of routes; editors would take them for no text. */
const allowAnyKey = ({ jsonSchema }: { jsonSchema: Schema }): void => {
  const names = jsonSchema['propertyNames'];
  if (JSON.stringify(names) === '{"type":"string"}') delete jsonSchema['propertyNames'];
};

/** A task written in place may go without id, so the id is required by the place and not by the type. */
const leaveIdToTask = (schema: Schema): void => {
  schema['required'] = (schema['required'] as string[]).filter((name) => name !== 'id');
};

const taskByType = (types: readonly string[], required: readonly string[]): Schema => ({
  type: 'object',
  required,
  properties: { type: { enum: types, description: 'The type of the task.' } },
  allOf: types.map((type) => ({ if: { properties: { type: { const: type } }, required: ['type'] }, then: { $ref: `#/definitions/${type}Task` } })),
});
