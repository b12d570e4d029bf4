import { logMigrations } from '@foldwork/events';
import { readModelMigrations } from '@foldwork/read-models/migrations';
import { AUTH_MIGRATIONS } from '../auth/auth-migrations';
import { TaskTypeVersions1764000400001 } from '../task-types/migrations/0001-task-type-versions';
import { ReadableMigrations1764000500001 } from './migrations/0001-readable-migrations';
import type { MigrationClass } from './run-migrations';

/** The whole schema: every service runs the same list, so that whichever starts first makes all of it. */
export const ALL_MIGRATIONS: readonly MigrationClass[] = [...logMigrations, ...readModelMigrations, ...AUTH_MIGRATIONS, TaskTypeVersions1764000400001, ReadableMigrations1764000500001];
