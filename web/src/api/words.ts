// What went wrong, in plain words.
import { type Body, type GraphQLProblem, Unreachable } from "./graphql.ts";

export const codeOf = (body: Body): string | undefined => body.errors?.[0]?.extensions?.code;

/** An answer without the data that was asked for. */
export class Refused extends Error {
  readonly code: string | undefined;
  constructor(problem: GraphQLProblem | undefined) {
    super(sentence(problem));
    this.name = "Refused";
    this.code = problem?.extensions?.code;
  }
}

const seconds = (count: number) => (count === 1 ? "one second" : `${Math.ceil(count)} seconds`);

/** A GraphQL error for people who do not write GraphQL. */
export function sentence(problem: GraphQLProblem | undefined): string {
  const { code, reason, retryAfter, requestId } = problem?.extensions ?? {};
  const said = problem?.message ? `${problem.message.charAt(0).toUpperCase()}${problem.message.slice(1)}` : "";
  switch (code) {
    case "UNAUTHENTICATED":
      return "Your sign-in is no longer valid. Please sign in again.";
    case "FORBIDDEN":
      if (reason === "PASSWORD_CHANGE_REQUIRED") return "Please choose a password of your own first.";
      return "Your role does not allow this. An administrator can change it.";
    case "RATE_LIMITED":
      return `Too many requests. Please try again${retryAfter ? ` in ${seconds(retryAfter)}` : " in a moment"}.`;
    case "TIMEOUT":
      return "This took too long and was stopped. Try a shorter time range or fewer rows.";
    case "QUERY_TOO_COMPLEX":
      return "This asks for too much at once. Try a shorter time range or fewer rows.";
    case "INTERNAL":
      return `Something went wrong on the server${requestId ? ` (request ${requestId})` : ""}. Its log knows more.`;
    default:
      return said ? (/[.!?]$/.test(said) ? said : `${said}.`) : "The server did not say what went wrong.";
  }
}

/** Whatever was thrown, as a sentence. */
export function plainly(cause: unknown): string {
  if (cause instanceof Refused || cause instanceof Unreachable) return cause.message;
  return "Something went wrong in this page. Reload it, and try again.";
}
