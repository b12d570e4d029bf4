export { startThrowawayNats, type ThrowawayNats, type ThrowawayNatsOptions } from './nats/throwaway-nats';
export { createTestDatabase, migrate, type TestDatabase, type TestDatabaseOptions } from './postgres/test-database';
export { sharedPostgresUrl } from './postgres/shared-postgres';
export { startThrowawayPostgres, type ThrowawayPostgres, type ThrowawayPostgresOptions } from './postgres/throwaway-postgres';
export { embeddedPostgresBinaries, findPostgresBinaries, type PostgresBinaries } from './postgres/postgres-binaries';
export { freePort } from './processes/free-port';
export { guardFolder, type GuardedFolder } from './processes/guard-folder';
export { runIdAt, syntheticRun, type SyntheticRun, type SyntheticRunOptions } from './logs/synthetic-runs';
export { forkTypeScript } from './processes/fork-typescript';
