// Links into GraphiQL: query and variables after the #, which no server sees. No header and no secret is ever in one.
import { go, hashOf } from "../route.ts";
import { withoutSecrets } from "./secrets.ts";

/** The query that the page itself asked to be run once it is open. Links from outside never run by themselves. */
let toRun: string | null = null;

function hash(query: string, variables: string) {
  return hashOf("explore", variables.trim() ? { query, variables } : { query });
}

export function shareLink(query: string, variables: string): string {
  return `${location.origin}${location.pathname}${hash(withoutSecrets(query), withoutSecrets(variables, query))}`;
}

/** Opens a query in GraphiQL and runs it. */
export function explore(query: string, variables: unknown) {
  toRun = query;
  go(hash(query, JSON.stringify(variables, null, 2)));
}

export function mayRun(query: string): boolean {
  const may = toRun === query;
  toRun = null;
  return may;
}
