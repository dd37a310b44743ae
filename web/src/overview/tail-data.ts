// The newest audit log entries, again and again: by subscription where the server has it, else by asking.
import { type Client, createClient } from "graphql-ws";
import { offers } from "../api/schema.ts";
import { currentToken, dataOf } from "../auth/session.ts";

export interface Entry {
  id: string;
  timestamp: string;
  action: string;
  success: boolean;
  username: string | null;
  ipAddress: string | null;
  description: string | null;
}

export const KEPT = 50;
const POLL_MS = 5_000;
const FIELDS = "id timestamp action success username ipAddress description";
const ALL = `query Tail($filter: AuditLogFilter) { auditLogs(first: ${KEPT}, filter: $filter) { nodes { ${FIELDS} } } }`;
const OWN = `query OwnTail { me { auditLogs(first: ${KEPT}) { nodes { ${FIELDS} } } } }`;
const ADDED = `subscription AuditLogAdded($filter: AuditLogFilter) { auditLogAdded(filter: $filter) { auditLog { ${FIELDS} } } }`;

interface Nodes {
  auditLogs: { nodes: Entry[] };
}

export async function newest(filter: unknown, own: boolean, signal: AbortSignal): Promise<Entry[]> {
  if (own) return (await dataOf<{ me: Nodes }>({ query: OWN }, signal)).me.auditLogs.nodes;
  return (await dataOf<Nodes>({ query: ALL, variables: { filter } }, signal)).auditLogs.nodes;
}

/** Calls back with the newest entries, and again whenever there are others, until the signal. */
export function follow(
  filter: unknown,
  own: boolean,
  signal: AbortSignal,
  seen: (entries: Entry[]) => void,
  failed: (cause: unknown) => void,
) {
  let socket: Client | null = null;
  let timer: ReturnType<typeof setTimeout> | undefined;
  signal.addEventListener("abort", () => {
    clearTimeout(timer);
    void socket?.dispose();
  });

  const poll = async () => {
    try {
      if (!document.hidden) seen(await newest(filter, own, signal));
    } catch (cause) {
      if (signal.aborted) return;
      failed(cause);
    }
    if (!signal.aborted) timer = setTimeout(() => void poll(), POLL_MS);
  };

  const live = async () => {
    const live = !own && (await offers().catch(() => null))?.subscriptions.has("auditLogAdded");
    if (!live || signal.aborted) return poll();
    let entries = await newest(filter, own, signal);
    seen(entries);
    socket = createClient({
      url: `${location.protocol === "https:" ? "wss" : "ws"}://${location.host}/graphql`,
      connectionParams: async () => ({ Authorization: `Bearer ${await currentToken()}` }),
    });
    const events = socket.iterate<{ auditLogAdded: { auditLog: Entry } }>({ query: ADDED, variables: { filter } });
    for await (const { data } of events) {
      const entry = data?.auditLogAdded.auditLog;
      if (!entry || entries.some(({ id }) => id === entry.id)) continue;
      entries = [entry, ...entries].slice(0, KEPT);
      seen(entries);
    }
  };
  // Whatever is wrong with the subscription, asking still works.
  live().catch(() => (signal.aborted ? undefined : poll()));
}
