import { schemaFaults, type Definition } from '@foldwork/domain';
import type { Json } from '@foldwork/events';
import type { Fault } from '@foldwork/platform/http';

/** What is wrong with a run's input by the definition's schema, pointers starting at `/input`; empty when nothing is. */
export const inputFaults = ({ input: schema }: Definition, input: Json): Fault[] =>
  schema === undefined ? [] : schemaFaults(schema as Json, input).map(faultOf); // a definition's schema is JSON by its parser

const WHOLE = /^\(whole value\)/;

/** The domain answers `/pointer what is wrong`, or `(whole value) what is wrong`. */
const faultOf = (text: string): Fault => {
  const pointer = text.startsWith('/') ? text.slice(0, text.indexOf(' ')) : '';
  return { pointer: `/input${pointer}`, code: 'input_invalid', message: `The input does not fit the workflow: ${text.replace(WHOLE, 'it')}.` };
};
