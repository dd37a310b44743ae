// Whether the server answers: asked every now and then while somebody looks, and at once when a request failed.
import { createStore, useStore } from "../store.ts";

const ASK_MS = 2_000;
/** While it does not answer. */
const ASK_AGAIN_MS = 1_000;
/** A server that takes longer than this to say that it lives is as good as gone. */
const LONGEST_MS = 1_500;

const reachable = createStore(true);
export const useReachable = () => useStore(reachable);

let timer: ReturnType<typeof setTimeout> | undefined;
let watched = false;
let asking: Promise<boolean> | null = null;

async function answers(): Promise<boolean> {
  try {
    const { status } = await fetch("/health/live", {
      cache: "no-store",
      credentials: "omit",
      signal: AbortSignal.timeout(LONGEST_MS),
    });
    // A proxy may keep the path to itself, but it says these for a server that it does not reach.
    return ![502, 503, 504].includes(status);
  } catch {
    return false;
  }
}

/** Asks the server, one question at a time. */
export async function checkReachable(): Promise<void> {
  clearTimeout(timer);
  asking ??= answers().finally(() => {
    asking = null;
  });
  const now = await asking;
  if (now !== reachable.get()) reachable.set(now);
  clearTimeout(timer);
  if (watched || !now) timer = setTimeout(ask, now ? ASK_MS : ASK_AGAIN_MS);
}

function ask() {
  if (!document.hidden) void checkReachable();
}

/** Keeps asking until the returned function is called. */
export function watchReachable(): () => void {
  watched = true;
  document.addEventListener("visibilitychange", ask);
  ask();
  return () => {
    watched = false;
    clearTimeout(timer);
    document.removeEventListener("visibilitychange", ask);
  };
}
