import { createDefinitionLanguage, type DefinitionLanguage } from '../definition/definition-language';
import { taskTypes } from './registry';

let language: DefinitionLanguage | undefined;
/** Built at the first use: only a process that checks definitions pays for it. */
const builtIn = (): DefinitionLanguage => (language ??= createDefinitionLanguage(taskTypes.definitions()));

/** The definition language with the registered task types. */
export const parseDefinition: DefinitionLanguage['parseDefinition'] = (text, options) => builtIn().parseDefinition(text, options);
export const checkDefinition: DefinitionLanguage['checkDefinition'] = (value, options) => builtIn().checkDefinition(value, options);
export const editorSchema: DefinitionLanguage['editorSchema'] = () => builtIn().editorSchema();
