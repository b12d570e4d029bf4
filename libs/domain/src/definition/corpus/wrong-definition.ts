/** A definition that must be refused or warned about, and where. */
export interface WrongDefinition {
  readonly title: string;
  readonly text: string;
  readonly format?: 'json';
  /** Each fault as `line:code`, in the order of the text; nothing else may be reported. */
  readonly faults: readonly string[];
  /** Part of the hint of the first fault. */
  readonly hint?: string;
}

/** A document around a list of tasks: they begin in line 3. */
export const withTasks = (tasks: string): string => `workflow: w\ntasks:\n${tasks.replace(/^\n/, '')}`;
