import type { Json, JsonObject } from '@foldwork/events/contracts';
import type { EffectClass, JsonSchema } from '@foldwork/domain';
import type { z } from 'zod';

/** What an action sees of the attempt it is part of. */
export interface ActionContext {
  /** `run_…`. */
  readonly runId: string;
  readonly workflow: string;
  /** Path of the task in its run. */
  readonly task: string;
  /** From 1. */
  readonly attempt: number;
  /** Independent of the attempt: send it along, so that the other side can recognise a repetition. */
  readonly effectKey: string;
  /** W3C Trace Context of the run's request, if it had one: send it along, so that the trace goes on. */
  readonly traceparent?: string;
  /** Aborted when the attempt is canceled, its time is over, or its executor loses its lease. */
  readonly signal: AbortSignal;
  /** Recorded by earlier attempts and by this one. */
  readonly sideEffects: Readonly<JsonObject>;
  /** Resolves when it is durable; rejects when the attempt was taken away, and then the action must stop. */
  recordSideEffect(effect: JsonObject): Promise<void>;
  /** A sign of life, for tasks with a `heartbeat` limit. */
  heartbeat(): void;
  /** One structured line with run and task. */
  log(message: string, fields?: JsonObject): void;
}

/** Whether an effect took place: asked after an uncertain end, before anything is repeated. */
export interface Verification {
  readonly applied: boolean | 'unknown';
  /** The task's output when the effect had been applied. */
  readonly output?: Json;
}

/** Work that a task can name. `input` is checked before `run` is called. */
export interface Action<I = Json> {
  readonly name: string;
  readonly effect: EffectClass;
  readonly input?: z.ZodType<I> | JsonSchema;
  /** The output must be JSON; `undefined` counts as null. A throw is a failed attempt. */
  run(input: I, context: ActionContext): Promise<unknown> | unknown;
  verify?(input: I, context: ActionContext): Promise<Verification> | Verification;
}

/**
 * A failure with a code that retry policies and `escalate` lists can name. Any thrown error is a failed attempt; this
 * one says more.
 */
export class ActionError extends Error {
  constructor(
    readonly code: string,
    message: string,
    options?: ErrorOptions & { readonly details?: Json },
  ) {
    super(message, options);
    this.name = 'ActionError';
    if (options?.details !== undefined) this.details = options.details;
  }
  readonly details?: Json;
}
