import type { NatsConnection } from '@nats-io/transport-node';
import { BusUnavailable } from '../bus.port';

const BYTES_PER_UNIT_MAX = 3;

/** Whether the server would refuse it, and the client throw. `headerBytes`: they count as well, and are asked for only when it is near. */
export const isTooLarge = ({ info }: NatsConnection, payload: string, headerBytes: () => number = () => 0): boolean => {
  const bytesMax = info?.max_payload ?? Infinity;
  return payload.length * BYTES_PER_UNIT_MAX > bytesMax / 2 && Buffer.byteLength(payload) + headerBytes() > bytesMax;
};

export const tooLarge = ({ info }: NatsConnection, what: string, payload: string): BusUnavailable =>
  new BusUnavailable('BUS_TOO_LARGE', `${what} has ${Buffer.byteLength(payload)} bytes, and the NATS server takes ${info?.max_payload}: set its max_payload higher.`);
