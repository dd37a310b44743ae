// Who is signed in. Tokens live in memory, and in sessionStorage only for who asked to stay signed in for this tab;
// they never enter a URL, a history or local storage.
import { type Answer, type Body, type Options, type Question, post } from "../api/graphql.ts";
import { Refused, codeOf } from "../api/words.ts";
import { createStore, useStore } from "../store.ts";

export type Role = "VIEWER" | "ANALYST" | "ADMIN";

export interface Person {
  id: string;
  username: string;
  role: Role;
}

interface Tokens {
  accessToken: string;
  refreshToken: string;
  /** Milliseconds since 1970, by this machine's clock. */
  endsAt: number;
}

interface Session {
  person: Person;
  tokens: Tokens;
  /** Whether it outlives a reload of this tab. */
  kept: boolean;
  passwordChangeRequired: boolean;
  /** Whether the sign-in was by the password that a default account is made with: the user name. */
  defaultPassword?: boolean;
  /** The same in duplicated tabs, which share one refresh token. */
  family: string;
}

/** What components may see of it: no token. */
export interface SignedIn {
  person: Person;
  /** Why another password has to be chosen first: everybody knows it, or an administrator chose it. */
  passwordChange: "default" | "reset" | null;
}

interface LoginPayload {
  accessToken: string;
  refreshToken: string;
  expiresAt: string;
  passwordChangeRequired: boolean;
  user: Person;
}

const KEY = "guardianeye:session";
const FIELDS = "accessToken refreshToken expiresAt passwordChangeRequired user { id username role }";
/** Renew this long before the end. */
const AHEAD_MS = 60_000;
/** Renew no more often than this. */
const PAUSE_MS = 10_000;

let session: Session | null = null;
let renewing: Promise<boolean> | null = null;
let timer: ReturnType<typeof setTimeout> | undefined;

const visible = createStore<SignedIn | null>(null);
const notice = createStore<string | null>(null);
const tabs = new BroadcastChannel("guardianeye:session");

export const useSignedIn = () => useStore(visible);
export const useNotice = () => useStore(notice);

function remember(next: Session | null) {
  session = next;
  clearTimeout(timer);
  try {
    if (next?.kept) sessionStorage.setItem(KEY, JSON.stringify(next));
    else sessionStorage.removeItem(KEY);
  } catch {
    // Without storage a reload asks again.
  }
  if (!next) return visible.set(null);
  const before = visible.get();
  const passwordChange = !next.passwordChangeRequired ? null : next.defaultPassword ? "default" : "reset";
  if (before?.person.id !== next.person.id || before.passwordChange !== passwordChange) {
    visible.set({ person: next.person, passwordChange });
  }
  schedule(next);
}

/** A browser wakes timers late after sleep, so every request looks at the time as well. */
function schedule({ tokens }: Session) {
  const left = tokens.endsAt - Date.now();
  timer = setTimeout(() => void renew(), Math.max(left - AHEAD_MS, left / 2, PAUSE_MS));
}

type Before = Pick<Session, "kept" | "family" | "defaultPassword">;

/** The clocks of server and browser may differ by hours, so only how long the token holds is taken from the answer. */
function sessionOf(payload: LoginPayload, serverTime: number, before: Before): Session {
  const { accessToken, refreshToken, expiresAt, passwordChangeRequired, user } = payload;
  const endsAt = Date.now() + Date.parse(expiresAt) - serverTime;
  const tokens = { accessToken, refreshToken, endsAt };
  return { ...before, person: user, passwordChangeRequired, tokens };
}

/** Signs in, or throws a sentence for people. */
export async function signIn(username: string, password: string, kept: boolean): Promise<void> {
  const { body, serverTime } = await post<{ login: LoginPayload }>({
    query: `mutation SignIn($input: LoginInput!) { login(input: $input) { ${FIELDS} } }`,
    variables: { input: { username, password } },
  });
  const payload = body.data?.login;
  if (!payload) {
    const refused = new Refused(body.errors?.[0]);
    if (refused.code === "UNAUTHENTICATED") refused.message = "The user name or the password is not right.";
    throw refused;
  }
  notice.set(null);
  const family = crypto.getRandomValues(new Uint32Array(4)).join("-");
  remember(sessionOf(payload, serverTime, { kept, family, defaultPassword: password === payload.user.username }));
}

/** Changes the own password, or throws a sentence for people. This login goes on; all others of the user end. */
export async function changePassword(currentPassword: string, newPassword: string): Promise<void> {
  const { body } = await ask<{ changePassword: unknown }>({
    query: "mutation ChangePassword($input: ChangePasswordInput!) { changePassword(input: $input) { user { id } } }",
    variables: { input: { currentPassword, newPassword } },
  });
  if (!body.data?.changePassword) throw new Refused(body.errors?.[0]);
  if (session) remember({ ...session, passwordChangeRequired: false, defaultPassword: false });
}

export async function signOut(): Promise<void> {
  const token = session?.tokens.accessToken;
  const family = session?.family;
  end(null);
  tabs.postMessage({ family, ended: true });
  if (!token) return;
  // Whatever the server answers, this page has forgotten the tokens.
  await post({ query: "mutation SignOut { logout { __typename } }" }, { token }).catch(() => undefined);
}

function end(why: string | null) {
  remember(null);
  notice.set(why);
}

/** A new access token for the refresh token; false when the session is over. One at a time. */
function renew(): Promise<boolean> {
  renewing ??= renewNow().finally(() => {
    renewing = null;
  });
  return renewing;
}

async function renewNow(): Promise<boolean> {
  const before = session;
  if (!before) return false;
  const over = "Your session has ended. Please sign in again; your tabs and queries are still here.";
  const { refreshToken } = before.tokens;
  try {
    const { body, serverTime } = await post<{ refreshToken: LoginPayload }>({
      query: `mutation Renew($input: RefreshTokenInput!) { refreshToken(input: $input) { ${FIELDS} } }`,
      variables: { input: { refreshToken } },
    });
    if (session?.family !== before.family) return false;
    const payload = body.data?.refreshToken;
    if (payload) {
      remember(sessionOf(payload, serverTime, before));
      tabs.postMessage({ family: before.family, session });
      return true;
    }
    if (codeOf(body) === "UNAUTHENTICATED") {
      end(over);
      return false;
    }
  } catch {
    // Not reachable: the token may still hold, and the next request tries again.
  }
  if (session && session.tokens.endsAt > Date.now()) timer = setTimeout(() => void renew(), PAUSE_MS);
  return session !== null;
}

/** The token for a request now; renewed when it is about to end. */
export async function currentToken(): Promise<string | null> {
  if (session && session.tokens.endsAt - Date.now() < 5_000) await renew();
  return session?.tokens.accessToken ?? null;
}

/** Asks as whoever is signed in. A token that the server no longer takes is renewed once, or the session is over. */
export async function ask<T>(question: Question, options: Omit<Options, "token"> = {}) {
  const token = await currentToken();
  const answer = seen(await post<T>(question, { ...options, token }));
  const ownToken = !Object.keys(options.headers ?? {}).some((name) => name.toLowerCase() === "authorization");
  if (answer.status !== 401 || !ownToken || !session) return answer;
  if (session.tokens.accessToken === token && !(await renew())) return answer;
  return seen(await post<T>(question, { ...options, token: session?.tokens.accessToken ?? null }));
}

/** A server that wants another password first answers nothing else, so the page for that is shown. */
function seen<T>(answer: Answer<T>): Answer<T> {
  const wanted = answer.body.errors?.some(({ extensions }) => extensions?.reason === "PASSWORD_CHANGE_REQUIRED");
  if (wanted && session && !session.passwordChangeRequired) remember({ ...session, passwordChangeRequired: true });
  return answer;
}

/** The data of a question, or a thrown sentence. */
export async function dataOf<T>(question: Question, signal?: AbortSignal): Promise<T> {
  const { body } = await ask<T>(question, { signal: signal ?? null });
  if (body.errors?.length || !body.data) throw new Refused((body as Body).errors?.[0]);
  return body.data;
}

tabs.onmessage = ({ data }: MessageEvent<{ family: string; session?: Session; ended?: boolean }>) => {
  if (!session || data.family !== session.family) return;
  if (data.ended) end("You signed out in another tab.");
  else if (data.session) remember({ ...data.session, kept: session.kept });
};

/** What a reload of this tab finds. */
function restore(): Session | null {
  try {
    const kept = JSON.parse(sessionStorage.getItem(KEY) ?? "null") as Session | null;
    return kept?.tokens.refreshToken ? kept : null;
  } catch {
    return null;
  }
}

const restored = restore();
if (restored) remember(restored);
