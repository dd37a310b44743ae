// Where GraphiQL keeps tabs, history and sizes: local storage, apart for each person, and never a secret.
import type { Storage } from "@graphiql/toolkit";
import { withoutSecrets } from "./secrets.ts";

export function storageOf(username: string): Storage {
  const prefix = `guardianeye:${username}:`;
  // GraphiQL keeps the variables apart from the query, which says which of them are secrets.
  const operationOf = (key: string) => (key.endsWith(":variables") ? localStorage.getItem(`${prefix}graphiql:query`) : null);
  const keys = () => Object.keys(localStorage).filter((key) => key.startsWith(prefix));
  return {
    getItem: (key) => localStorage.getItem(prefix + key),
    setItem: (key, value) => localStorage.setItem(prefix + key, withoutSecrets(value, `${operationOf(key) ?? ""}\n${value}`)),
    removeItem: (key) => localStorage.removeItem(prefix + key),
    clear: () => keys().forEach((key) => localStorage.removeItem(key)),
    get length() {
      return keys().length;
    },
  };
}
