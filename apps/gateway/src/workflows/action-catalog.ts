import type { ActionCatalog } from '@foldwork/domain';
import type { ActionDirectory } from '@foldwork/events';

/** What executors offer. Unknown while none has ever registered: definitions may be published before the first starts. */
export const actionCatalog = (directory: ActionDirectory) => async (): Promise<ActionCatalog | undefined> => {
  const actions = await directory.list();
  return actions.length === 0 ? undefined : new Map(actions.map(({ name, effect, verify }) => [name, { effect, verify }]));
};
