import type { MigrationInterface, QueryRunner } from 'typeorm';

/** The bodies behind the hashes that events pin. A body never changes under its hash. */
export class Definitions1764000000005 implements MigrationInterface {
  readonly name = 'Definitions1764000000005';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      CREATE TABLE public.definitions (
        namespace  text        COLLATE "C" NOT NULL,
        hash       text        COLLATE "C" NOT NULL,
        body       text        COLLATE "C" NOT NULL,
        created_at timestamptz NOT NULL DEFAULT now(),
        CONSTRAINT definitions_pkey PRIMARY KEY (namespace, hash)
      )`);
    await runner.query('GRANT SELECT, INSERT ON public.definitions TO foldwork_app');
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP TABLE public.definitions');
  }
}
