import { ExpressionError } from './expression-error';

/** One unit is about one visited node of an expression (0.05-0.2 us). The limit keeps any evaluation well under 250 ms. */
export const COST_LIMIT = 400_000;
/** Characters that cost as much as one node when a string is built or searched. */
const CHARACTERS_PER_UNIT = 32;

/** Units between two questions whether the caller still wants the result. */
const ASK_EVERY = 10_000;

export type IsCanceled = () => boolean;

/**
 * Counts the work of the evaluation that is running. Owns the invariant: once exhausted it stays exhausted until the
 * evaluation ends, so `x || true` cannot swallow the limit.
 */
export class CostMeter {
  private left = COST_LIMIT;
  private spent: ExpressionError | undefined;
  private isCanceled: IsCanceled | undefined;
  /** `left` at which the caller is asked again. */
  private askAt = 0;

  /** Runs `work` on a full budget of its own; the caller's budget is untouched, so evaluations may nest. */
  metered<T>(work: () => T, isCanceled = this.isCanceled): T {
    const { left, spent, askAt, isCanceled: outer } = this;
    this.left = COST_LIMIT;
    this.askAt = isCanceled ? COST_LIMIT : -Infinity;
    this.spent = undefined;
    this.isCanceled = isCanceled;
    try {
      this.askWhetherCanceled();
      const result = work();
      if (this.spent) throw this.spent as ExpressionError;
      return result;
    } catch (error) {
      throw this.spent ?? error;
    } finally {
      this.left = left;
      this.spent = spent;
      this.askAt = askAt;
      this.isCanceled = outer;
    }
  }

  /** Evaluations inside `work` end in `expression_error` once `isCanceled` says yes. */
  cancelable<T>(isCanceled: IsCanceled, work: () => T): T {
    const { isCanceled: outer } = this;
    this.isCanceled = isCanceled;
    try {
      return work();
    } finally {
      this.isCanceled = outer;
    }
  }

  private askWhetherCanceled(): void {
    if (this.left > this.askAt) return;
    this.askAt = this.left - ASK_EVERY;
    if (this.isCanceled?.() !== true) return;
    this.left = -1;
    this.spent = new ExpressionError('expression_error', 'The evaluation was canceled');
    throw this.spent;
  }

  /** Throws `expression_limit` before work that the rest of the budget does not cover. */
  charge(units: number): void {
    this.left -= units;
    if (this.left < 0) this.exceed();
    if (this.left <= this.askAt) this.askWhetherCanceled();
  }

  /** Refuses work that would cost more than is left, without charging for it yet. */
  require(units: number): void {
    if (units > this.left) this.exceed();
  }

  /** For a look ahead at values that will be paid for when they are used. */
  unmetered<T>(work: () => T): T {
    const { left } = this;
    try {
      return work();
    } finally {
      if (!this.spent) this.left = left;
    }
  }

  private exceed(): never {
    this.left = -1;
    this.spent ??= new ExpressionError('expression_limit', 'The expression costs too much on this input');
    throw this.spent;
  }

  chargeText(text: string, times = 1): void {
    if (text.length >= CHARACTERS_PER_UNIT) this.charge((text.length * times) / CHARACTERS_PER_UNIT);
  }

  /** Charges what looking at the whole value costs, nested values included. */
  chargeValue(value: unknown, times = 1): void {
    if (typeof value === 'string') return this.chargeText(value);
    if (typeof value !== 'object' || value === null) return;
    const members: readonly unknown[] = Array.isArray(value) ? value : Object.values(value);
    this.charge((1 + members.length) * times);
    for (const member of members) if (typeof member === 'object' || typeof member === 'string') this.chargeValue(member, times);
  }
}

export const meter = new CostMeter();
