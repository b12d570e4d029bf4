import type { MigrationClass } from '../postgres/run-migrations';
import { ApiKeys1764000300001 } from './migrations/0001-api-keys';

/** Need the role `foldwork_app`, which the log's migrations make. */
export const AUTH_MIGRATIONS: readonly MigrationClass[] = [ApiKeys1764000300001];
