// The library as a panel of GraphiQL. Queries that the person's role cannot have are listed, but not offered.
import type { GraphiQLPlugin } from "@graphiql/react";
import type { Person } from "../auth/session.ts";
import { LibraryIcon } from "../ui/icons.tsx";
import { words } from "../ui/parts.tsx";
import { LIBRARY, allows } from "./library.ts";
import { useOpen } from "./use-open.ts";

export const LIBRARY_TITLE = "Ready queries";

export function libraryPlugin(person: Person): GraphiQLPlugin {
  return { title: LIBRARY_TITLE, icon: LibraryIcon, content: () => <Panel person={person} /> };
}

function Panel({ person }: { person: Person }) {
  const open = useOpen();
  return (
    <section aria-label={LIBRARY_TITLE} className="library">
      <h2>{LIBRARY_TITLE}</h2>
      <p>Each opens in a tab of its own, with variables to adapt.</p>
      <ul>
        {LIBRARY.map(({ id, title, about, role, query, variables }) => {
          const allowed = allows(person.role, role);
          return (
            <li key={id}>
              <button
                type="button"
                disabled={!allowed || !open}
                onClick={() => open?.(query, variables ? JSON.stringify(variables(), null, 2) : "")}
              >
                <strong>{title}</strong>
                <span>{allowed ? about : `Needs the role ${words(role)}.`}</span>
              </button>
            </li>
          );
        })}
      </ul>
    </section>
  );
}
