import { checkDefinition, definitionHash, parseDefinition, type ActionCatalog, type Definition, type Diagnostic } from '@foldwork/domain';
import type { DefinitionHash, Json } from '@foldwork/events';
import type { Fault } from '@foldwork/platform/http';

export type CheckedDefinition =
  | { readonly ok: true; readonly definition: Definition; readonly hash: DefinitionHash; readonly diagnostics: readonly Diagnostic[] }
  | { readonly ok: false; readonly diagnostics: readonly Diagnostic[] };

export type DefinitionInput = { readonly text: string; readonly format: 'yaml' | 'json' } | { readonly value: Json };

/** All static checks of the definition language, with what is known of the actions that executors offer. */
export class DefinitionCheck {
  constructor(private readonly actions: () => Promise<ActionCatalog | undefined> = async () => undefined) {}

  async check(input: DefinitionInput): Promise<CheckedDefinition> {
    const actions = await this.actions();
    const options = actions === undefined ? {} : { actions };
    const { definition, diagnostics } = 'value' in input ? checkDefinition(input.value, options) : parseDefinition(input.text, { ...options, format: input.format });
    return definition === undefined ? { ok: false, diagnostics } : { ok: true, definition, hash: definitionHash(definition), diagnostics };
  }
}

export const faultOfDiagnostic = ({ pointer, ...rest }: Diagnostic, prefix = ''): Fault => ({ pointer: `${prefix}${pointer}`, ...rest });
