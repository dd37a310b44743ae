// The console: nothing but the sign-in before somebody signed in, then a header and one of two pages.
import { Suspense, lazy, useEffect } from "react";
import { useReachable, watchReachable } from "./api/reachable.ts";
import { ChangePassword } from "./auth/change-password.tsx";
import { type Person, signOut, useSignedIn } from "./auth/session.ts";
import { SignIn } from "./auth/sign-in.tsx";
import { type Place, hashOf, useRoute } from "./route.ts";
import { useTheme } from "./theme.ts";
import { ChartIcon, ExploreIcon, Mark, Moon, SignOutIcon, Sun } from "./ui/icons.tsx";
import { Waiting, words } from "./ui/parts.tsx";

const loadExplore = () => import("./explore/explore.tsx");
const loadOverview = () => import("./overview/overview.tsx");
const Explore = lazy(loadExplore);
const Overview = lazy(loadOverview);

const TITLES: Record<Place, string> = { overview: "Overview", explore: "Explore" };

export function App() {
  const signedIn = useSignedIn();
  const { place } = useRoute();
  const page = !signedIn ? "Sign in" : signedIn.passwordChange ? "Choose a password" : TITLES[place];
  useEffect(() => {
    document.title = `${page} · GuardianEye`;
  }, [page]);
  if (!signedIn) return <SignIn />;
  if (signedIn.passwordChange) return <ChangePassword {...signedIn} />;
  // The key: nothing of one person's page is left for the next.
  return <Shell key={signedIn.person.id} person={signedIn.person} place={place} />;
}

function Shell({ person, place }: { person: Person; place: Place }) {
  useEffect(() => {
    // The other page is likely to be next: fetch its code while nothing else is to do.
    const soon = setTimeout(() => void Promise.all([loadOverview(), loadExplore()]).catch(() => undefined), 1_500);
    return () => clearTimeout(soon);
  }, []);
  return (
    <div className="shell">
      <a className="skip" href="#main" onClick={skipToMain}>
        Skip to the content
      </a>
      <header className="bar">
        <a className="brand" href={hashOf("overview")}>
          <Mark size={28} />
          <span>GuardianEye</span>
        </a>
        <nav aria-label="Pages">
          <Tab place="overview" current={place} icon={<ChartIcon />} />
          <Tab place="explore" current={place} icon={<ExploreIcon />} />
        </nav>
        <div className="who">
          <span className="avatar" aria-hidden="true">
            {person.username.charAt(0).toUpperCase()}
          </span>
          <span className="name">
            <span className="sr-only">Signed in as </span>
            {person.username}
          </span>
          <span className={`role role-${person.role.toLowerCase()}`}>{words(person.role)}</span>
          <ThemeButton />
          <button type="button" className="quiet" onClick={() => void signOut()}>
            <SignOutIcon />
            <span className="label">Sign out</span>
          </button>
        </div>
      </header>
      <ServerGone />
      <main id="main" tabIndex={-1}>
        <Suspense fallback={<Waiting what={`Opening ${TITLES[place]}…`} />}>
          {place === "explore" ? <Explore person={person} /> : <Overview person={person} />}
        </Suspense>
      </main>
    </div>
  );
}

/** Between header and content, so that it is in view wherever somebody has scrolled to. */
function ServerGone() {
  const reachable = useReachable();
  useEffect(watchReachable, []);
  return (
    <div role="alert">
      {!reachable && (
        <p className="gone">
          <strong>The server does not answer.</strong> What you see may be out of date. This page goes on by itself as soon as
          the server is back.
        </p>
      )}
    </div>
  );
}

/** Without a step in the URL, which belongs to the route. */
function skipToMain(event: { preventDefault(): void }) {
  event.preventDefault();
  document.getElementById("main")?.focus();
}

function Tab({ place, current, icon }: { place: Place; current: Place; icon: React.ReactNode }) {
  return (
    <a href={hashOf(place)} className="tab" aria-current={place === current ? "page" : undefined}>
      {icon}
      <span className="label">{TITLES[place]}</span>
    </a>
  );
}

export function ThemeButton() {
  const [theme, choose] = useTheme();
  const other = theme === "dark" ? "light" : "dark";
  const label = `Switch to the ${other} theme`;
  return (
    <button type="button" className="quiet icon" onClick={() => choose(other)} aria-label={label} title={label}>
      {theme === "dark" ? <Sun /> : <Moon />}
    </button>
  );
}
