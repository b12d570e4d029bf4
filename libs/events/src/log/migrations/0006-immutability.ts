import type { MigrationInterface, QueryRunner } from 'typeorm';

const TABLES = ['events', 'definitions'];

/** Nobody changes or removes what was recorded, the owner of the tables included. Statement triggers cost an insert nothing. */
export class Immutability1764000000006 implements MigrationInterface {
  readonly name = 'Immutability1764000000006';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      CREATE FUNCTION public.refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
      BEGIN
        RAISE EXCEPTION '% on % is refused: what was recorded never changes', TG_OP, TG_TABLE_NAME
          USING ERRCODE = 'object_not_in_prerequisite_state';
      END $$`);
    for (const table of TABLES)
      await runner.query(`
        CREATE TRIGGER ${table}_immutable BEFORE UPDATE OR DELETE OR TRUNCATE ON public.${table}
        FOR EACH STATEMENT EXECUTE FUNCTION public.refuse_change()`);
  }

  async down(runner: QueryRunner): Promise<void> {
    for (const table of TABLES) await runner.query(`DROP TRIGGER ${table}_immutable ON public.${table}`);
    await runner.query('DROP FUNCTION public.refuse_change()');
  }
}
