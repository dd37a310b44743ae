// One GraphQL request over HTTP. It knows no session: who asks is an argument.
import { checkReachable } from "./reachable.ts";

export interface GraphQLProblem {
  message: string;
  path?: (string | number)[];
  extensions?: { code?: string; reason?: string; field?: string; retryAfter?: number; requestId?: string; [key: string]: unknown };
}

export interface Receipt {
  requestId?: string;
  cost?: number | null;
  statements?: number;
  rows?: number;
  durationMs?: number;
}

export interface Body<T = unknown> {
  data?: T | null;
  errors?: GraphQLProblem[];
  extensions?: { receipt?: Receipt; [key: string]: unknown };
}

export interface Answer<T = unknown> {
  status: number;
  body: Body<T>;
  /** How long the page waited. */
  ms: number;
  bytes: number;
  /** What time it is on the server, in milliseconds since 1970; by this machine's clock where it does not say. */
  serverTime: number;
}

export interface Question {
  query: string;
  variables?: unknown;
  operationName?: string | null | undefined;
}

export interface Options {
  token?: string | null;
  headers?: Record<string, string>;
  signal?: AbortSignal | null;
}

/** The server could not be reached, or what answered was not it. */
export class Unreachable extends Error {
  constructor(message = "The server cannot be reached. Check that it is running, then try again.") {
    super(message);
    this.name = "Unreachable";
  }
}

export async function post<T>(question: Question, options: Options = {}): Promise<Answer<T>> {
  const started = performance.now();
  const headers: Record<string, string> = {
    Accept: "application/graphql-response+json, application/json;q=0.9",
    "Content-Type": "application/json",
    "X-Receipt": "1",
    ...(options.token ? { Authorization: `Bearer ${options.token}` } : {}),
    ...options.headers,
  };
  let status: number;
  let text: string;
  let serverTime = Date.now();
  try {
    const response = await fetch("/graphql", {
      method: "POST",
      headers,
      body: JSON.stringify(question),
      credentials: "omit",
      cache: "no-store",
      signal: options.signal ?? null,
    });
    status = response.status;
    text = await response.text();
    serverTime = Date.parse(response.headers.get("date") ?? "") || serverTime;
  } catch (cause) {
    if (cause instanceof DOMException && cause.name === "AbortError") throw cause;
    void checkReachable();
    throw new Unreachable();
  }
  const ms = performance.now() - started;
  try {
    const body = JSON.parse(text) as Body<T>;
    return { status, body, ms, bytes: text.length, serverTime };
  } catch {
    void checkReachable();
    throw new Unreachable(`The server's answer (HTTP ${status}) is not one of GraphQL. A proxy may stand in between.`);
  }
}
