import { formatPath } from '../../expressions/cel-syntax';
import type { Segment } from '../task-type.definition';
import type { JsonSchema } from '../task.definition';

export interface UndeclaredField {
  /** `.images[0].id`. */
  readonly path: string;
  readonly name: string;
  readonly known: readonly string[];
}

/** Keywords that may allow a property in a way that is not read here. */
const OPEN_KEYWORDS = ['$ref', 'allOf', 'anyOf', 'oneOf', 'if', 'not', 'patternProperties', 'additionalProperties', 'dependentSchemas', 'unevaluatedProperties'];

type SchemaMap = Extract<JsonSchema, object>;

/** The first property on the way that a schema with `properties` does not name, unless it leaves room for others. */
export const undeclaredField = (schema: unknown, segments: readonly Segment[]): UndeclaredField | undefined => {
  let current = schema;
  for (const [index, segment] of segments.entries()) {
    if (!isSchemaMap(current)) return undefined;
    if (typeof segment === 'number') {
      current = current['items'];
      continue;
    }
    const properties = current['properties'];
    if (!isSchemaMap(properties)) return undefined;
    if (!Object.hasOwn(properties, segment)) {
      return isOpen(current) ? undefined : { path: formatPath('', segments.slice(0, index + 1)), name: segment, known: Object.keys(properties) };
    }
    current = properties[segment];
  }
  return undefined;
};

const isSchemaMap = (value: unknown): value is SchemaMap => typeof value === 'object' && value !== null && !Array.isArray(value);

const isOpen = (schema: SchemaMap): boolean =>
  OPEN_KEYWORDS.some((keyword) => Object.hasOwn(schema, keyword) && schema[keyword] !== false);
