import type { MigrationInterface, QueryRunner } from 'typeorm';

/** How far each log subscription has come: the position of the last event it is done with. */
export class Checkpoints1764000000004 implements MigrationInterface {
  readonly name = 'Checkpoints1764000000004';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      CREATE TABLE public.checkpoints (
        name       text        COLLATE "C" NOT NULL CONSTRAINT checkpoints_pkey PRIMARY KEY,
        position   bigint      NOT NULL CHECK (position >= 0),
        epoch      uuid        NOT NULL,
        updated_at timestamptz NOT NULL DEFAULT now()
      ) WITH (fillfactor = 50)`);
    await runner.query('GRANT SELECT, INSERT, UPDATE, DELETE ON public.checkpoints TO foldwork_app');
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP TABLE public.checkpoints');
  }
}
