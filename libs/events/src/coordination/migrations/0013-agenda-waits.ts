import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Which signals open runs wait for, and which runs are in lanes: what a planner must find without folding every run. */
export class AgendaWaits1764000000013 implements MigrationInterface {
  readonly name = 'AgendaWaits1764000000013';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`ALTER TABLE public.agenda ADD COLUMN awaits text[] COLLATE "C", ADD COLUMN in_lane boolean NOT NULL DEFAULT false`);
    await runner.query('CREATE INDEX agenda_awaits ON public.agenda USING gin (awaits) WHERE awaits IS NOT NULL');
    await runner.query('CREATE INDEX agenda_in_lane ON public.agenda (run_id) WHERE in_lane');
    await runner.query(`CREATE INDEX events_published ON public.events (position) WHERE type = 'WorkflowPublished'`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP INDEX public.events_published');
    await runner.query('ALTER TABLE public.agenda DROP COLUMN awaits, DROP COLUMN in_lane');
  }
}
