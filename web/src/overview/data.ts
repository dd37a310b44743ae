// The questions behind the overview, and their answers in the shape that it draws.
import { dataOf } from "../auth/session.ts";
import { type AuditFilter, type Filters, type Interval, auditFilter, spanBefore, spanOf } from "./filters.ts";

interface Count {
  count: number;
  failures: number;
}
export interface ByAction extends Count {
  action: string;
}
export interface ByUser extends Count {
  user: { id: string; username: string } | null;
}
export interface ByAddress extends Count {
  ipAddress: string | null;
}
export interface Series {
  /** An action, or null for all the others together. */
  action: string | null;
  counts: number[];
}

export interface Overview {
  filter: AuditFilter;
  interval: Interval;
  total: number;
  failures: number;
  before: { total: number; failures: number };
  byAction: ByAction[];
  byUser: ByUser[];
  byAddress: ByAddress[];
  openConversations: number;
  starts: Date[];
  series: Series[];
}

/** As many as eyes can tell apart; also under the limit of aliases for one field. */
const MOST_SERIES = 8;

interface Interval1 extends Count {
  start: string;
}
interface Stats extends Count {
  total: number;
  byAction: ByAction[];
  byUser: ByUser[];
  byIpAddress: ByAddress[];
  overTime: Interval1[];
}

const TOTALS = `query Overview($filter: AuditLogFilter, $before: AuditLogFilter, $interval: StatsInterval!) {
  now: auditLogStats(filter: $filter) {
    total failures
    byAction { action count failures }
    byUser(first: 8) { user { id username } count failures }
    byIpAddress(first: 8) { ipAddress count failures }
    overTime(interval: $interval) { start count failures }
  }
  before: auditLogStats(filter: $before) { total failures }
  sessions(first: 1, filter: { isActive: true }) { totalCount }
}`;

export class NoSuchUser extends Error {}

export async function userId(username: string | null, signal?: AbortSignal): Promise<string | null> {
  if (!username) return null;
  const query = "query UserId($username: String!) { userByUsername(username: $username) { id } }";
  const data = await dataOf<{ userByUsername: { id: string } | null }>({ query, variables: { username } }, signal);
  if (!data.userByUsername) throw new NoSuchUser(`There is no user called ${username}.`);
  return data.userByUsername.id;
}

export async function overview(filters: Filters, signal: AbortSignal): Promise<Overview> {
  const span = spanOf(filters);
  const { interval } = span;
  const id = await userId(filters.user, signal);
  const filter: AuditFilter = auditFilter(span, filters, id);
  const { now, before, sessions } = await dataOf<{
    now: Stats;
    before: Pick<Stats, "total" | "failures">;
    sessions: { totalCount: number };
  }>({ query: TOTALS, variables: { filter, before: auditFilter(spanBefore(span), filters, id), interval } }, signal);
  return {
    filter,
    interval,
    total: now.total,
    failures: now.failures,
    before,
    byAction: now.byAction,
    byUser: now.byUser,
    byAddress: now.byIpAddress,
    openConversations: sessions.totalCount,
    starts: now.overTime.map(({ start }) => new Date(start)),
    series: await seriesOf(filter, interval, now, signal),
  };
}

/** One series for each of the most frequent actions, and one for the rest. */
async function seriesOf(filter: AuditFilter, interval: Interval, all: Stats, signal: AbortSignal): Promise<Series[]> {
  const [only] = all.byAction;
  const whole = all.overTime.map(({ count }) => count);
  if (!only) return [];
  if (all.byAction.length === 1) return [{ action: only.action, counts: whole }];
  const actions = all.byAction.slice(0, MOST_SERIES).map(({ action }) => action);
  const names = actions.map((_, index) => `a${index}`);
  const query = `query ActivityByAction($interval: StatsInterval!, ${names.map((name) => `$${name}: AuditLogFilter`).join(", ")}) {
${names.map((name) => `  ${name}: auditLogStats(filter: $${name}) { overTime(interval: $interval) { start count } }`).join("\n")}
}`;
  const variables: Record<string, unknown> = { interval };
  actions.forEach((action, index) => (variables[`a${index}`] = { ...filter, action: { eq: action } }));
  const data = await dataOf<Record<string, Pick<Stats, "overTime">>>({ query, variables }, signal);
  const series: Series[] = actions.map((action, index) => {
    const counts = new Map(data[`a${index}`]?.overTime.map(({ start, count }) => [start, count]));
    return { action, counts: all.overTime.map(({ start }) => counts.get(start) ?? 0) };
  });
  const rest = whole.map((count, index) => count - series.reduce((sum, { counts }) => sum + (counts[index] ?? 0), 0));
  if (rest.some((count) => count > 0)) series.push({ action: null, counts: rest.map((count) => Math.max(count, 0)) });
  return series;
}

export const STATS_QUERY = `query Activity($filter: AuditLogFilter, $interval: StatsInterval!) {
  auditLogStats(filter: $filter) {
    total
    failures
    byAction {
      action
      count
      failures
    }
    overTime(interval: $interval) {
      start
      count
      failures
    }
  }
}
`;
