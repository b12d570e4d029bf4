import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Witnesses of what the log held. The services may add to them and never change one. */
export class Anchors1764000000102 implements MigrationInterface {
  readonly name = 'Anchors1764000000102';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      CREATE TABLE public.anchors (
        position    bigint      NOT NULL PRIMARY KEY CHECK (position > 0),
        root        text        NOT NULL CHECK (root ~ '^[0-9a-f]{64}$'),
        anchored_at timestamptz NOT NULL DEFAULT now()
      )`);
    await runner.query('GRANT SELECT, INSERT ON public.anchors TO foldwork_app');
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP TABLE public.anchors');
  }
}
