export { BusMessageContext } from './transport/bus-message.context';
export { BusServer, type BusServerOptions } from './transport/bus-server.strategy';
