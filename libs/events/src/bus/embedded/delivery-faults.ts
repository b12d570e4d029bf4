/**
 * What may befall a message on the embedded bus when it plays the part of a bad network. Seeded: the same seed does the
 * same mischief in the same order.
 */
export interface DeliveryFaults {
  readonly seed: number;
  /** Share of messages lost for good, 0 to 1: harder than NATS, which loses a step only with its whole store. */
  readonly drop?: number;
  /** Share of messages that arrive twice. */
  readonly double?: number;
  /** Share of messages held back, and for how long at most. Held back messages are overtaken by later ones. */
  readonly delay?: number;
  readonly delayMsMax?: number;
}

/** Delays in milliseconds, one for each time the message arrives: none when it is lost, two when it is doubled. */
export type DeliveryFate = readonly number[];

const AT_ONCE: DeliveryFate = [0];

export const deliveryFates = (faults: DeliveryFaults | undefined): (() => DeliveryFate) => {
  if (faults === undefined) return () => AT_ONCE;
  const { drop = 0, double = 0, delay = 0, delayMsMax = 20 } = faults;
  const random = mulberry32(faults.seed);
  const arrival = (): number => (random() < delay ? random() * delayMsMax : 0);
  return () => {
    if (random() < drop) return [];
    return random() < double ? [arrival(), arrival()] : [arrival()];
  };
};

/** A small generator of good quality for tests; not for secrets. */
const mulberry32 = (seed: number): (() => number) => {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
};
