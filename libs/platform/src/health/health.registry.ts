/** What one part says about itself. `detail` holds numbers and short words, never a database text. */
export interface HealthReport {
  readonly ok: boolean;
  readonly detail?: Readonly<Record<string, string | number | boolean>>;
}
export type HealthCheck = () => Promise<HealthReport>;

export interface Readiness {
  readonly status: 'ready' | 'not_ready';
  readonly checks: Readonly<Record<string, { readonly status: 'up' | 'down' } & HealthReport['detail']>>;
}

/** Named checks of one process; asked together, each given `timeoutMs`. A check that throws or hangs is down. */
export class HealthRegistry {
  private readonly checks = new Map<string, HealthCheck>();
  private stopping = false;

  constructor(private readonly timeoutMs = 2_000) {}

  register(name: string, check: HealthCheck): this {
    this.checks.set(name, check);
    return this;
  }

  /** From now on not ready, so that no new work is sent here while the process finishes. */
  beginStop(): void {
    this.stopping = true;
  }

  async readiness(): Promise<Readiness> {
    const asked = await Promise.all([...this.checks].map(async ([name, check]) => [name, await this.ask(check)] as const));
    const ready = !this.stopping && asked.every(([, report]) => report.ok);
    const checks = asked.map(([name, { ok, detail }]) => [name, { status: ok ? 'up' : 'down', ...detail }] as const);
    return { status: ready ? 'ready' : 'not_ready', checks: Object.fromEntries(checks) };
  }

  private async ask(check: HealthCheck): Promise<HealthReport> {
    const timeout = Promise.withResolvers<HealthReport>();
    const timer = setTimeout(() => timeout.resolve({ ok: false, detail: { reason: 'timeout' } }), this.timeoutMs);
    try {
      return await Promise.race([check(), timeout.promise]);
    } catch {
      return { ok: false, detail: { reason: 'unreachable' } }; // the error's text may come from the database
    } finally {
      clearTimeout(timer);
    }
  }
}
