export { ActionError, type Action, type ActionContext, type Verification } from './action';
export { ActionInvalid, defineAction } from './define-action';
export { ActionRegistry, parseInput } from './action-registry';
export { loadActions } from './load-actions';
export { coreActions } from './built-in/core.action';
export { httpActions } from './built-in/http-request.action';
