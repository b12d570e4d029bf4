import { ReadModels1764000000101 } from './migrations/0101-read-models';
import { Anchors1764000000102 } from './migrations/0102-anchors';

/** The read models' schema for TypeORM's `migrations` option, in order; run after the log's own. */
export const readModelMigrations = [ReadModels1764000000101, Anchors1764000000102];
