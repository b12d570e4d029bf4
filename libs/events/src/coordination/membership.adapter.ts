import type { Pool } from 'pg';
import { storeQuery } from './store-query';

export type MemberRole = 'planner' | 'executor';

export interface Member {
  readonly name: string;
  readonly incarnation: number;
  /** By the database's clock: a member whose lease ran out may come back, but its work goes to others. */
  readonly alive: boolean;
}

const JOIN = `
  INSERT INTO public.members AS m (role, name, incarnation, expires_at) VALUES ($1, $2, 1, clock_timestamp() + $3 * interval '1 millisecond')
  ON CONFLICT (role, name) DO UPDATE SET incarnation = m.incarnation + 1, expires_at = excluded.expires_at
  RETURNING incarnation`;

const RENEW = `
  UPDATE public.members SET expires_at = clock_timestamp() + $4 * interval '1 millisecond'
  WHERE role = $1 AND name = $2 AND incarnation = $3 AND expires_at > clock_timestamp() RETURNING 1 AS renewed`;

const LEAVE = `UPDATE public.members SET expires_at = clock_timestamp() WHERE role = $1 AND name = $2 AND incarnation = $3`;

const LIST = 'SELECT name, incarnation, expires_at > clock_timestamp() AS alive FROM public.members WHERE role = $1 ORDER BY name';

const FORGET = `DELETE FROM public.members WHERE expires_at < clock_timestamp() - $1 * interval '1 millisecond'`;

/**
 * Leases of planners and executors: one row per member, one heartbeat per process. A member that comes back under its
 * name gets the next incarnation; what the one before held is given up at once.
 */
export class Membership {
  constructor(
    private readonly pool: Pool,
    private readonly role: MemberRole,
  ) {}

  /** Takes the name; returns the incarnation, from 1. */
  async join(name: string, leaseMs: number): Promise<number> {
    const rows = await storeQuery<{ incarnation: number }>(this.pool, 'member_join', JOIN, [this.role, name, leaseMs]);
    return rows[0]?.incarnation ?? 1;
  }

  /** False: the lease ran out or the name was taken over; whoever held it must stop its work and join again. */
  async renew(name: string, incarnation: number, leaseMs: number): Promise<boolean> {
    return (await storeQuery(this.pool, 'member_renew', RENEW, [this.role, name, incarnation, leaseMs])).length > 0;
  }

  async leave(name: string, incarnation: number): Promise<void> {
    await storeQuery(this.pool, 'member_leave', LEAVE, [this.role, name, incarnation]);
  }

  /**
   * Clears away members of both roles whose lease ended that long ago; a name that comes back begins at incarnation 1. Only
   * for somebody who has known of those ends for a while: an attempt of a member that nobody knows does not count as lost.
   */
  async forget(longAgoMs: number): Promise<void> {
    await storeQuery(this.pool, 'member_forget', FORGET, [longAgoMs]);
  }

  async list(): Promise<Member[]> {
    return storeQuery<Member & { [column: string]: unknown }>(this.pool, 'member_list', LIST, [this.role]);
  }
}
