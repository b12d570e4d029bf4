import { createDefinitionLanguage } from '../definition/definition-language';
import { taskTypes } from './registry';

/** The definition language with the registered task types. */
export const { parseDefinition, checkDefinition, editorSchema } = createDefinitionLanguage(taskTypes.definitions());
