import { z } from 'zod';
import type { TaskTypeDefinition } from './task-type.definition';

export type EditorSchema = { readonly [keyword: string]: unknown };
type Schema = Record<string, unknown>;

/**
 * JSON Schema (draft-07) of a definition as it is written. The union of tasks becomes if/then by `type`, because editors
 * then report the faults of the type that is meant instead of those of all types.
 */
export const buildEditorSchema = (document: z.ZodType, taskTypes: readonly TaskTypeDefinition[]): EditorSchema => {
  const generated = z.toJSONSchema(document, { target: 'draft-07', io: 'input', unrepresentable: 'any', cycles: 'ref', reused: 'inline' }) as Schema;
  const definitions = generated['definitions'] as Schema;
  const names = taskTypes.map(({ type }) => type);
  definitions['task'] = {
    type: 'object',
    required: ['id', 'type'],
    properties: { type: { enum: names, description: 'The type of the task.' } },
    allOf: names.map((type) => ({ if: { properties: { type: { const: type } }, required: ['type'] }, then: { $ref: `#/definitions/${type}Task` } })),
  };
  return generated;
};
