import { meter, type IsCanceled } from './cost-meter';

/** Runs `work`; the expressions that it evaluates end in `ExpressionError` (`expression_error`) once `isCanceled` says yes. */
export const evaluateUnless = <T>(isCanceled: IsCanceled, work: () => T): T => meter.cancelable(isCanceled, work);
