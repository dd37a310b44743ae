// How GraphiQL asks: HTTP for queries and mutations, a WebSocket for subscriptions, each with the token of the session.
// It keeps the last answer of every tab, for the receipt and the export.
import type { Fetcher, FetcherOpts, FetcherParams } from "@graphiql/toolkit";
import { type OperationDefinitionNode, getOperationAST, parse } from "graphql";
import { type Client, createClient } from "graphql-ws";
import type { Answer, Body, Receipt } from "../api/graphql.ts";
import { plainly } from "../api/words.ts";
import { ask, currentToken } from "../auth/session.ts";
import { createStore } from "../store.ts";

export interface Recorded {
  name: string;
  body: Body;
  receipt: Receipt | undefined;
  status: number;
  ms: number;
  bytes: number;
}

export const answers = createStore<ReadonlyMap<string, Recorded>>(new Map());

let activeTab = "";
export function setActiveTab(id: string) {
  activeTab = id;
}

let socket: Client | null = null;

function subscribe({ query, operationName, variables }: FetcherParams) {
  socket ??= createClient({
    url: `${location.protocol === "https:" ? "wss" : "ws"}://${location.host}/graphql`,
    connectionParams: async () => {
      const token = await currentToken();
      return token ? { Authorization: `Bearer ${token}` } : {};
    },
    retryAttempts: 2,
  });
  const payload = { query, operationName: operationName ?? null, variables: variables as Record<string, unknown> };
  return untilItFails(socket.iterate(payload));
}

/** A refusal of the connection is an answer, not a stack trace. */
async function* untilItFails<T>(events: AsyncIterable<T>) {
  try {
    yield* events;
  } catch (cause) {
    if (Array.isArray(cause)) yield { errors: cause };
    else if (cause instanceof Event) yield { errors: [{ message: whyClosed(cause) }] };
    else yield { errors: [{ message: plainly(cause) }] };
  }
}

function whyClosed(event: Event): string {
  const { code, reason } = event instanceof CloseEvent ? event : { code: 1006, reason: "" };
  if (code === 1006) return "The server does not take subscriptions: its WebSocket could not be opened.";
  return `The server closed the subscription: ${reason || "no reason given"} (${code}).`;
}

/** The receipt is shown beside the answer, so it leaves the answer. */
function record(tab: string, name: string, { body, status, ms, bytes }: Answer): Body {
  const { receipt, ...others } = body.extensions ?? {};
  const shown: Body = { ...body, ...(receipt ? { extensions: others } : {}) };
  if (shown.extensions && Object.keys(shown.extensions).length === 0) delete shown.extensions;
  answers.set(new Map(answers.get()).set(tab, { name, body: shown, receipt, status, ms, bytes }));
  return shown;
}

/** The operation that is meant. GraphiQL's own idea of it may lag behind the text that somebody just put in. */
function operationOf({ query, operationName }: FetcherParams): OperationDefinitionNode | null {
  try {
    const document = parse(query);
    return getOperationAST(document, operationName) ?? getOperationAST(document) ?? null;
  } catch {
    return null;
  }
}

export const fetcher: Fetcher = (params: FetcherParams, options?: FetcherOpts) => {
  const operation = operationOf(params);
  const operationName = operation ? operation.name?.value : (params.operationName ?? undefined);
  if (operation?.operation === "subscription") return subscribe({ ...params, operationName }) as ReturnType<Fetcher>;
  const tab = activeTab;
  const { query, variables } = params;
  return ask({ query, variables, operationName }, { headers: (options?.headers ?? {}) as Record<string, string> }).then(
    (answer) => {
      const shown = operationName === "IntrospectionQuery" ? answer.body : record(tab, operationName ?? "result", answer);
      return shown as Awaited<ReturnType<Fetcher>>;
    },
    (cause: unknown) => ({ errors: [{ message: plainly(cause) }] }) as unknown as Awaited<ReturnType<Fetcher>>,
  ) as ReturnType<Fetcher>;
};

/** For the next person: nothing of this one's answers is left. */
export function forget() {
  answers.set(new Map());
  void socket?.dispose();
  socket = null;
}
