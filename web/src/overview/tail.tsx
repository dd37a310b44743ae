// What happens now: the newest entries, as they come.
import { useEffect, useRef, useState } from "react";
import { useReachable } from "../api/reachable.ts";
import { plainly } from "../api/words.ts";
import { explore } from "../explore/link.ts";
import { PauseIcon, PlayIcon } from "../ui/icons.tsx";
import { Empty, Message, Waiting, words } from "../ui/parts.tsx";
import { type Entry, follow } from "./tail-data.ts";

const ENTRY = `query Entry($id: ID!) {
  auditLog(id: $id) {
    id
    timestamp
    action
    success
    description
    details
    ipAddress
    userAgent
    user {
      username
      role
      sessions(first: 5) {
        nodes {
          title
          threadId
        }
      }
    }
  }
}
`;

const clock = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "medium" });

/** `filter`: as the API takes it, without an end. `own`: only what the person did. */
export function Tail({ filter, own = false }: { filter: string; own?: boolean }) {
  const [entries, setEntries] = useState<Entry[] | null>(null);
  const [problem, setProblem] = useState<string | null>(null);
  const [paused, setPaused] = useState(false);
  const [news, setNews] = useState("");
  const [fresh, setFresh] = useState<ReadonlySet<string>>(new Set());
  const reachable = useReachable();
  const known = useRef<Set<string> | null>(null);

  useEffect(() => {
    known.current = null;
    setEntries(null);
  }, [filter]);

  useEffect(() => {
    if (!reachable) setProblem(null);
    if (paused || !reachable) return;
    const end = new AbortController();
    const seen = (next: Entry[]) => {
      const before = known.current;
      const added = before ? next.filter(({ id }) => !before.has(id)) : [];
      known.current = new Set(next.map(({ id }) => id));
      if (added.length > 0) {
        setNews(`${added.length} new ${added.length === 1 ? "entry" : "entries"}`);
        setFresh(new Set(added.map(({ id }) => id)));
      }
      setEntries(next);
      setProblem(null);
    };
    follow(JSON.parse(filter), own, end.signal, seen, (cause) => setProblem(plainly(cause)));
    return () => end.abort();
  }, [filter, own, paused, reachable]);

  return (
    <section className="card panel tail" aria-label="Live tail">
      <div className="panel-head">
        <h2>
          Live tail <span className={`pulse${paused ? " off" : ""}`} aria-hidden="true" />
        </h2>
        <span className="sr-only" role="status">
          {news}
        </span>
        <button type="button" onClick={() => setPaused(!paused)}>
          {paused ? <PlayIcon /> : <PauseIcon />}
          {paused ? "Go on" : "Pause"}
        </button>
      </div>
      {problem && <Message kind="error">{problem}</Message>}
      {!entries && !problem && <Waiting what="Reading the audit log…" />}
      {entries?.length === 0 && <Empty title="Nothing here yet">New entries appear by themselves.</Empty>}
      {entries && entries.length > 0 && (
        <div className="scroll" tabIndex={0} role="region" aria-label="Newest audit log entries">
          <table>
            <thead>
              <tr>
                <th scope="col">Time</th>
                <th scope="col">Action</th>
                <th scope="col">User</th>
                <th scope="col">Address</th>
                <th scope="col">What happened</th>
              </tr>
            </thead>
            <tbody>
              {entries.map((entry) => (
                <tr key={entry.id} className={fresh.has(entry.id) ? "fresh" : undefined}>
                  <td className="time">
                    <time dateTime={entry.timestamp}>{clock.format(new Date(entry.timestamp))}</time>
                  </td>
                  <td>
                    <span className={`chip${entry.success ? "" : " bad"}`}>
                      {words(entry.action)}
                      {!entry.success && <span className="sr-only">, failed</span>}
                    </span>
                  </td>
                  <td>{entry.username ?? <span className="faint">system</span>}</td>
                  <td className="mono">{entry.ipAddress ?? <span className="faint">–</span>}</td>
                  <td className="what">
                    <button type="button" className="link" onClick={() => explore(ENTRY, { id: entry.id })}>
                      {entry.description ?? "Show the entry"}
                    </button>
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
    </section>
  );
}
