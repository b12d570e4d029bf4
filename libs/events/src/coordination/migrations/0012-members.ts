import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Who is at work: planners and executors with their leases, and what executors can do. */
export class Members1764000000012 implements MigrationInterface {
  readonly name = 'Members1764000000012';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      CREATE TABLE public.members (
        role        text        COLLATE "C" NOT NULL CHECK (role IN ('planner', 'executor')),
        name        text        COLLATE "C" NOT NULL CHECK (octet_length(name) BETWEEN 1 AND 128),
        incarnation integer     NOT NULL CHECK (incarnation > 0),
        expires_at  timestamptz NOT NULL,
        CONSTRAINT members_pkey PRIMARY KEY (role, name)
      ) WITH (fillfactor = 50)`);
    await runner.query(`
      CREATE TABLE public.actions (
        name         text        COLLATE "C" NOT NULL CONSTRAINT actions_pkey PRIMARY KEY,
        effect       text        NOT NULL CHECK (effect IN ('none', 'idempotent', 'keyed', 'once')),
        input_schema text,
        verify       boolean     NOT NULL,
        seen_at      timestamptz NOT NULL DEFAULT now()
      )`);
    await runner.query('GRANT SELECT, INSERT, UPDATE, DELETE ON public.members, public.actions TO foldwork_app');
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP TABLE public.actions');
    await runner.query('DROP TABLE public.members');
  }
}
