export { startGateway, type Gateway } from './create-gateway';
export { registerGatewayChecks } from './health/gateway-health';
export { actionCatalog } from './workflows/action-catalog';
