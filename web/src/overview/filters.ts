// What the overview shows: a time range, an action, a user. The URL carries it, so that it can be sent to somebody.
import { type Route, go, hashOf } from "../route.ts";

export interface Filters {
  /** A key of RANGES, or "custom" with from and to. */
  range: string;
  from: string | null;
  to: string | null;
  action: string | null;
  user: string | null;
}

export type Interval = "HOUR" | "DAY" | "WEEK" | "MONTH";

export interface Span {
  from: Date;
  to: Date;
  interval: Interval;
}

const HOUR = 3_600_000;
const DAY = 24 * HOUR;

export const RANGES: Record<string, { title: string; ms: number }> = {
  "24h": { title: "Last 24 hours", ms: DAY },
  "7d": { title: "Last 7 days", ms: 7 * DAY },
  "30d": { title: "Last 30 days", ms: 30 * DAY },
  "90d": { title: "Last 90 days", ms: 90 * DAY },
  "365d": { title: "Last 12 months", ms: 365 * DAY },
};
const DEFAULT_RANGE = "7d";

const moment = (text: string | null) => (text && !Number.isNaN(Date.parse(text)) ? text : null);

export function filtersOf({ params }: Route): Filters {
  const range = params.get("range") ?? DEFAULT_RANGE;
  const [from, to] = [moment(params.get("from")), moment(params.get("to"))];
  const custom = range === "custom" && from !== null && to !== null && Date.parse(from) < Date.parse(to);
  return {
    range: custom ? "custom" : range in RANGES ? range : DEFAULT_RANGE,
    from: custom ? from : null,
    to: custom ? to : null,
    action: params.get("action") || null,
    user: params.get("user") || null,
  };
}

export function show(filters: Filters) {
  const params = Object.entries(filters).filter(([name, value]) => value && !(name === "range" && value === DEFAULT_RANGE));
  go(hashOf("overview", Object.fromEntries(params) as Record<string, string>));
}

/** The end is the next full minute, so that what happens now is in, and the same question is asked for a while. */
export function spanOf(filters: Filters, now = Date.now()): Span {
  const minute = Math.ceil(now / 60_000) * 60_000;
  const to = filters.to ? Date.parse(filters.to) : minute;
  const from = filters.from ? Date.parse(filters.from) : to - (RANGES[filters.range]?.ms ?? 7 * DAY);
  const length = to - from;
  const interval = length <= 3 * DAY ? "HOUR" : length <= 100 * DAY ? "DAY" : length <= 1_000 * DAY ? "WEEK" : "MONTH";
  return { from: new Date(from), to: new Date(to), interval };
}

/** The time before it, as long as it. */
export function spanBefore({ from, to, interval }: Span): Span {
  return { from: new Date(from.getTime() * 2 - to.getTime()), to: from, interval };
}

/** The filter of the API. */
export function auditFilter(span: Span, filters: Pick<Filters, "action">, userId: string | null) {
  return {
    timestamp: { gte: span.from.toISOString(), lt: span.to.toISOString() },
    ...(filters.action ? { action: { eq: filters.action } } : {}),
    ...(userId ? { user: { eq: userId } } : {}),
  };
}

export type AuditFilter = ReturnType<typeof auditFilter> & { action?: unknown; success?: boolean; ipAddress?: unknown };
