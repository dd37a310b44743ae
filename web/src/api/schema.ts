// What this server offers beyond the least, asked once after sign-in. A server that keeps its schema to itself offers
// the least.
import { ask } from "../auth/session.ts";

export interface Offers {
  /** Of the audit log. */
  actions: string[];
  subscriptions: ReadonlySet<string>;
}

const NAMES = `{
  __schema { subscriptionType { fields { name } } }
  __type(name: "AuditAction") { enumValues { name } }
}`;
type Names = { fields: { name: string }[] } | null;

interface Answer {
  __schema: { subscriptionType: Names };
  __type: { enumValues: { name: string }[] } | null;
}

let known: Promise<Offers> | null = null;

async function find(): Promise<Offers> {
  const { body } = await ask<Answer>({ query: NAMES });
  const names = (type: Names | undefined) => new Set(type?.fields.map((field) => field.name));
  const schema = body.data?.__schema;
  return {
    actions: body.data?.__type?.enumValues.map(({ name }) => name) ?? [],
    subscriptions: names(schema?.subscriptionType),
  };
}

export function offers(): Promise<Offers> {
  known ??= find().catch((cause: unknown) => {
    known = null;
    throw cause;
  });
  return known;
}
