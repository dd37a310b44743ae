// What is going on: activity, failures, the busiest, and a live tail. Every number leads to the query behind it.
import { useCallback, useEffect, useMemo, useRef, useState } from "react";
import { useReachable } from "../api/reachable.ts";
import { plainly } from "../api/words.ts";
import type { Person } from "../auth/session.ts";
import { CONVERSATIONS, TRAIL, USER, allows } from "../explore/library.ts";
import { explore } from "../explore/link.ts";
import { useRoute } from "../route.ts";
import { ArrowIcon, RefreshIcon } from "../ui/icons.tsx";
import { Empty, Message, Waiting, digits } from "../ui/parts.tsx";
import { ActivityChart } from "./activity-chart.tsx";
import { NoSuchUser, type Overview as Numbers, STATS_QUERY, overview } from "./data.ts";
import { FilterBar } from "./filter-bar.tsx";
import { type Filters, filtersOf, show } from "./filters.ts";
import { Ranking } from "./ranking.tsx";
import { Tail } from "./tail.tsx";

const REFRESH_MS = 30_000;

export function Overview({ person }: { person: Person }) {
  return allows(person.role, "ANALYST") ? <Everybody /> : <Own />;
}

export default Overview;

/** For those who may only see what they did themselves. */
function Own() {
  return (
    <div className="overview">
      <h1>Your activity</h1>
      <Message kind="info">
        You see what you did yourself. The overview of everybody needs the role analyst, which an administrator can give.
      </Message>
      <Tail filter="{}" own />
    </div>
  );
}

function Everybody() {
  const filters = filtersOf(useRoute());
  const key = JSON.stringify(filters);
  const { numbers, problem, waiting, again } = useNumbers(key);
  const users = numbers?.byUser.flatMap(({ user }) => (user ? [user.username] : [])) ?? [];
  return (
    <div className="overview" aria-busy={waiting}>
      <div className="head">
        <h1>Overview</h1>
        <FilterBar filters={filters} actions={numbers?.byAction.map(({ action }) => action) ?? []} users={users} />
        <button type="button" className="quiet icon" aria-label="Refresh" title="Refresh" onClick={again}>
          <RefreshIcon />
        </button>
      </div>
      {problem && (
        <Message kind="error">
          {problem}{" "}
          <button type="button" className="link" onClick={again}>
            Try again
          </button>
        </Message>
      )}
      {!numbers && !problem && <Waiting what="Counting…" />}
      {numbers && <Content numbers={numbers} filters={filters} />}
    </div>
  );
}

/** Asked anew when the filters change and every now and then; the old numbers stay until the new ones are there. */
function useNumbers(key: string) {
  const [numbers, setNumbers] = useState<Numbers | null>(null);
  const [problem, setProblem] = useState<string | null>(null);
  const [waiting, setWaiting] = useState(true);
  const [round, setRound] = useState(0);
  const shownKey = useRef("");
  const reachable = useReachable();
  const again = useCallback(() => setRound((count) => count + 1), []);
  useEffect(() => {
    // The page says so by itself, and asks when the server is back.
    if (!reachable) {
      setWaiting(false);
      setProblem(null);
      return;
    }
    const end = new AbortController();
    setWaiting(true);
    overview(JSON.parse(key) as Filters, end.signal)
      .then((next) => {
        shownKey.current = key;
        setNumbers(next);
        setProblem(null);
      })
      .catch((cause: unknown) => {
        if (end.signal.aborted) return;
        // Numbers of other filters would mislead.
        if (shownKey.current !== key) setNumbers(null);
        setProblem(cause instanceof NoSuchUser ? cause.message : plainly(cause));
      })
      .finally(() => !end.signal.aborted && setWaiting(false));
    const timer = setTimeout(() => !document.hidden && again(), REFRESH_MS);
    const onShow = () => !document.hidden && again();
    document.addEventListener("visibilitychange", onShow);
    return () => {
      end.abort();
      clearTimeout(timer);
      document.removeEventListener("visibilitychange", onShow);
    };
  }, [key, round, again, reachable]);
  return { numbers, problem, waiting, again };
}

function Content({ numbers, filters }: { numbers: Numbers; filters: Filters }) {
  const { filter, interval, byUser, byAddress } = numbers;
  // Without an end, or nothing new would ever be in it.
  const tailFilter = useMemo(() => {
    const custom = filters.range === "custom";
    const { timestamp, ...rest } = filter;
    return JSON.stringify(custom ? filter : rest);
  }, [filter, filters.range]);
  const trail = (more: object) => explore(TRAIL, { filter: { ...filter, ...more } });
  return (
    <>
      <Cards numbers={numbers} filters={filters} trail={trail} />
      <section className="card panel" aria-label="Activity over time">
        <div className="panel-head">
          <h2>Activity over time</h2>
          <button type="button" onClick={() => explore(STATS_QUERY, { filter, interval })}>
            Open the query <ArrowIcon />
          </button>
        </div>
        {numbers.total === 0 ? (
          <Empty title="Nothing happened in this time">Choose a longer one, or fewer filters.</Empty>
        ) : (
          <ActivityChart
            overview={numbers}
            onAction={(action) => trail({ action: { eq: action } })}
            onInterval={(start) => trail({ timestamp: { gte: start.toISOString(), lt: endOf(start, numbers) } })}
          />
        )}
      </section>
      <div className="columns">
        <Ranking
          title="Top users"
          places={byUser.map(({ user, count, failures }) => ({
            key: user?.id ?? "nobody",
            name: user?.username ?? "system, deleted users",
            count,
            failures,
            does: user ? "Open this user with conversations and audit trail" : undefined,
            onClick: user ? () => explore(USER, { username: user.username }) : undefined,
          }))}
        />
        <Ranking
          title="Top IP addresses"
          places={byAddress.map(({ ipAddress, count, failures }) => ({
            key: ipAddress ?? "none",
            name: ipAddress ?? "without an address",
            count,
            failures,
            does: "Open what came from there",
            onClick: () => trail({ ipAddress: ipAddress ? { eq: ipAddress } : { isNull: true } }),
          }))}
        />
      </div>
      <Tail filter={tailFilter} />
    </>
  );
}

function endOf(start: Date, { starts, filter }: Numbers): string {
  return starts.find((other) => other > start)?.toISOString() ?? filter.timestamp.lt;
}

interface CardsProps {
  numbers: Numbers;
  filters: Filters;
  trail(more: object): void;
}

function Cards({ numbers, filters, trail }: CardsProps) {
  const { total, failures, before, byAction, openConversations } = numbers;
  const logins = byAction.find(({ action }) => action === "FAILED_LOGIN")?.count ?? 0;
  const rate = total ? `${((failures / total) * 100).toFixed(1)} % of all` : "";
  return (
    <div className="cards">
      <Card title="Entries" value={total} note={change(total, before.total)} onClick={() => trail({})} />
      <Card
        title="Failures"
        value={failures}
        note={[rate, change(failures, before.failures)].filter(Boolean).join(", ")}
        bad
        onClick={() => trail({ success: false })}
      />
      <Card
        title="Failed logins"
        value={logins}
        note="show these only"
        bad
        onClick={() => show({ ...filters, action: "FAILED_LOGIN" })}
      />
      <Card
        title="Open conversations"
        value={openConversations}
        note="right now, of everybody"
        onClick={() => explore(CONVERSATIONS, { filter: { isActive: true } })}
      />
    </div>
  );
}

function change(now: number, before: number): string {
  if (before === 0) return now === 0 ? "" : "none in the period before";
  const percent = Math.round(((now - before) / before) * 100);
  return percent === 0 ? "as in the period before" : `${percent > 0 ? "+" : "−"}${Math.abs(percent)} % vs. the period before`;
}

interface CardProps {
  title: string;
  value: number;
  note: string;
  bad?: boolean;
  onClick(): void;
}

function Card({ title, value, note, bad = false, onClick }: CardProps) {
  return (
    <button type="button" className={`card figure${bad && value > 0 ? " bad" : ""}`} onClick={onClick}>
      <span className="figure-title">{title}</span>
      <strong>{digits(value)}</strong>
      <span className="figure-note">{note || "\u00a0"}</span>
    </button>
  );
}
