/** Each role may do all that the ones before it may. */
export const ROLES = ['viewer', 'operator', 'approver', 'admin'] as const;
export type Role = (typeof ROLES)[number];

/** How a namespace may be called. */
export const NAMESPACE = /^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$/;

/** Who asks: one identity in one namespace. */
export interface Principal {
  /** Goes into the metadata of events: `key:<name>` or `user:<subject>`. */
  readonly actor: string;
  readonly namespace: string;
  readonly role: Role;
  /** What the rate limit counts by. */
  readonly rateKey: string;
}

export const parseRole = (text: unknown): Role | undefined => ROLES.find((role) => role === text);

export const mayActAs = (held: Role, needed: Role): boolean => ROLES.indexOf(held) >= ROLES.indexOf(needed);
