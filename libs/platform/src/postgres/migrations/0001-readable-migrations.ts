import type { MigrationInterface, QueryRunner } from 'typeorm';

/** A service that brings no schema up to date still has to know whether it is its own. */
export class ReadableMigrations1764000500001 implements MigrationInterface {
  readonly name = 'ReadableMigrations1764000500001';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query('GRANT SELECT ON public.foldwork_migrations TO foldwork_app');
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('REVOKE SELECT ON public.foldwork_migrations FROM foldwork_app');
  }
}
