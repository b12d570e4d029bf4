import type { MigrationInterface, QueryRunner } from 'typeorm';

/** `SQL_ASCII` keeps what it is given, byte for byte; any other lacks characters, and would hash other bytes than readers do. */
const REQUIRE_ENCODING = `
  DO $$ BEGIN
    IF getdatabaseencoding() NOT IN ('UTF8', 'SQL_ASCII') THEN
      RAISE EXCEPTION 'its encoding is %, and the log needs UTF8: create it with ENCODING ''UTF8'' TEMPLATE template0', getdatabaseencoding();
    END IF;
  END $$`;

/**
 * The role the services act as. It owns nothing: what it may do is granted beside each table. Roles belong to the whole
 * server, so another database may have made it already, and `down` leaves it when another database still needs it.
 */
export class ApplicationRole1764000000001 implements MigrationInterface {
  readonly name = 'ApplicationRole1764000000001';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(REQUIRE_ENCODING);
    await runner.query(`
      DO $$ BEGIN
        CREATE ROLE foldwork_app NOLOGIN;
      EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL;
      END $$`);
    await runner.query(`
      DO $$ BEGIN
        IF NOT pg_has_role(current_user, 'foldwork_app', 'MEMBER') THEN
          EXECUTE format('GRANT foldwork_app TO %I', current_user);
        END IF;
      END $$`);
    await runner.query('GRANT USAGE ON SCHEMA public TO foldwork_app');
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('REVOKE USAGE ON SCHEMA public FROM foldwork_app');
    await runner.query(`
      DO $$ BEGIN
        DROP ROLE foldwork_app;
      EXCEPTION WHEN dependent_objects_still_exist OR insufficient_privilege OR object_in_use THEN NULL;
      END $$`);
  }
}
