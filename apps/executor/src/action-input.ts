import type { Json } from '@foldwork/events';
import { ActionError, parseInput, type Action } from '@foldwork/actions';
import type { Redaction } from './secrets/redaction';
import { secretReferences, withSecrets } from './secrets/secret-references';
import type { SecretSource } from './secrets/secret-folder';

export interface SecretHandling {
  readonly secrets: SecretSource;
  /** Learns what must not be left behind. */
  readonly redaction: Redaction;
}

/**
 * The input as the action takes it: secrets in their places, checked against its schema. `written` is the `with` of the
 * definition that it was made from. Rejects with `SECRET_UNKNOWN` or `INPUT_INVALID`.
 */
export const actionInput = async (action: Action<never>, input: Json, written: unknown, { secrets, redaction }: SecretHandling): Promise<never> => {
  const filled = await withSecrets(input, secretReferences(written), (name) => secrets.read(name));
  redaction.add(filled.values);
  const parsed = parseInput(action, filled.input);
  if ('faults' in parsed) throw new ActionError('INPUT_INVALID', `${action.name} refuses its input: ${parsed.faults.join('; ')}`);
  return parsed.value;
};
