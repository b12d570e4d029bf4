import { stringifyJson } from '@foldwork/events';
import { type Logger } from '@foldwork/platform';
import { makeDto, parseJsonText, problemOfError } from '@foldwork/platform/http';
import { v7 } from 'uuid';
import { requireRunId } from '../runs/run-reader';
import type { SignalDelivery, SignalSource } from './signal-delivery';
import { BusSignalDto, type BroadcastDto } from './signal.dto';

/** Below the bus's prefix: `foldwork.signals` on NATS. */
export const SIGNALS_SUBJECT = 'signals';

/**
 * Signals from the bus. A request is JSON `{namespace, signal, payload?, run?, signalId?, correlationId?}`; without `run`
 * it goes to all runs that wait. The answer is `{signalId, accepted}`, or `{error, detail, faults?}` as REST would say it.
 * Whoever publishes without asking for an answer is served as well.
 */
export class BusSignals {
  constructor(private readonly signals: SignalDelivery, private readonly logger: Logger) {}

  /** Never rejects: the answer says what went wrong. */
  readonly take = async (text: string): Promise<string> => {
    try {
      return stringifyJson(await this.deliver(text));
    } catch (cause) {
      const { status, error, detail, faults } = problemOfError(cause).details;
      this.logger.warn({ event: 'bus_signal_refused', error, ...(status >= 500 && { err: cause }) });
      return stringifyJson({ error, detail, faults });
    }
  };

  private deliver(text: string): Promise<BroadcastDto> {
    const { namespace, run, ...signal } = makeDto(BusSignalDto, parseJsonText(text));
    const source: SignalSource = { namespace, metadata: { actor: 'bus', requestId: v7() } };
    return run === undefined ? this.signals.toAll(source, signal) : this.signals.deliver(source, requireRunId(run), signal);
  }
}
