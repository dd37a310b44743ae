// Where in the console somebody is: the part of the URL after #, which is never sent to any server.
import { createStore, useStore } from "./store.ts";

export type Place = "overview" | "explore";

export interface Route {
  place: Place;
  params: URLSearchParams;
}

function read(): Route {
  const [path = "", search = ""] = location.hash.replace(/^#\/?/, "").split("?", 2);
  return { place: path === "explore" ? "explore" : "overview", params: new URLSearchParams(search) };
}

const store = createStore<Route>(read());
window.addEventListener("hashchange", () => store.set(read()));

export const useRoute = () => useStore(store);
export const currentRoute = () => store.get();

export function hashOf(place: Place, params?: Record<string, string> | URLSearchParams): string {
  const search = new URLSearchParams(params).toString();
  return `#/${place}${search ? `?${search}` : ""}`;
}

/** Goes there; `replace` leaves no step for the way back. */
export function go(hash: string, { replace = false } = {}) {
  if (replace) history.replaceState(null, "", hash);
  else history.pushState(null, "", hash);
  store.set(read());
}
