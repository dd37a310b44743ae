// GraphiQL with the console's session, library, links and receipts around it.
import "./cancelled.ts";
import "./workers.ts";
import { HISTORY_PLUGIN, GraphiQL } from "graphiql";
import { explorerPlugin } from "@graphiql/plugin-explorer";
import { ToolbarButton, pick, useGraphiQL } from "@graphiql/react";
import "@graphiql/react/style.css";
import "@graphiql/plugin-doc-explorer/style.css";
import "@graphiql/plugin-history/style.css";
import "@graphiql/plugin-explorer/style.css";
import "graphiql/graphiql.css";
import "../styles/explore.css";
import { useEffect, useMemo, useState } from "react";
import type { Person } from "../auth/session.ts";
import { go, hashOf, useRoute } from "../route.ts";
import { useTheme } from "../theme.ts";
import { LinkIcon } from "../ui/icons.tsx";
import { fetcher, forget, setActiveTab } from "./fetcher.ts";
import { LIBRARY_TITLE, libraryPlugin } from "./library-panel.tsx";
import { mayRun, shareLink } from "./link.ts";
import { useMendedTabs } from "./mend-tabs.ts";
import { ResultBar } from "./result-bar.tsx";
import { storageOf } from "./storage.ts";
import { useOpen } from "./use-open.ts";

const WELCOME = `# Ctrl-Space completes,
# Ctrl-Enter runs.
query Me {
  me {
    username
    role
    sessions(first: 5) {
      nodes {
        title
        isActive
        createdAt
      }
    }
    auditLogs(first: 5) {
      nodes {
        timestamp
        action
        success
        description
      }
    }
  }
}
`;

export function Explore({ person }: { person: Person }) {
  const [theme] = useTheme();
  const { username, role, id } = person;
  const storage = useMemo(() => storageOf(username), [username]);
  const plugins = useMemo(
    () => [libraryPlugin({ id, username, role }), HISTORY_PLUGIN, explorerPlugin()],
    [id, username, role],
  );
  const firstVisit = useMemo(() => storage.getItem("graphiql:visiblePlugin") === null, [storage]);
  useEffect(() => forget, []);
  return (
    <div className="explore">
      <h1 className="sr-only">Explore</h1>
      <GraphiQL
        fetcher={fetcher}
        storage={storage}
        plugins={plugins}
        {...(firstVisit ? { visiblePlugin: LIBRARY_TITLE } : {})}
        forcedTheme={theme}
        defaultQuery={WELCOME}
        shouldPersistHeaders={false}
        showPersistHeadersSettings={false}
        defaultEditorToolsVisibility="variables"
        inputValueDeprecation
        schemaDescription
      >
        <GraphiQL.Logo>
          <span />
        </GraphiQL.Logo>
        <GraphiQL.Toolbar>
          {({ prettify, merge, copy }) => (
            <>
              {prettify}
              {merge}
              {copy}
              <ShareButton />
            </>
          )}
        </GraphiQL.Toolbar>
        <GraphiQL.Footer>
          <ResultBar />
          <FollowTab />
          <OpenFromRoute />
        </GraphiQL.Footer>
      </GraphiQL>
    </div>
  );
}

export default Explore;

function FollowTab() {
  useMendedTabs();
  const { tabs, activeTabIndex } = useGraphiQL(pick("tabs", "activeTabIndex"));
  const id = tabs[activeTabIndex]?.id ?? "";
  useEffect(() => setActiveTab(id), [id]);
  return null;
}

/** Once opened, the query lives in a tab, and the URL lets go of it. */
function OpenFromRoute() {
  const { place, params } = useRoute();
  const open = useOpen();
  const query = place === "explore" ? params.get("query") : null;
  const variables = params.get("variables") ?? "";
  useEffect(() => {
    if (!query || !open) return;
    go(hashOf("explore"), { replace: true });
    open(query, variables, mayRun(query));
  }, [query, variables, open]);
  return null;
}

function ShareButton() {
  const { queryEditor, variableEditor } = useGraphiQL(pick("queryEditor", "variableEditor"));
  const [said, setSaid] = useState("");
  async function copy() {
    const link = shareLink(queryEditor?.getValue() ?? "", variableEditor?.getValue() ?? "");
    try {
      await navigator.clipboard.writeText(link);
      setSaid("Link copied");
    } catch {
      // Without TLS a browser keeps pages from the clipboard.
      window.prompt("Copy this link:", link);
    }
    setTimeout(() => setSaid(""), 2_500);
  }
  return (
    <>
      <ToolbarButton label="Copy a link to this query and its variables" onClick={() => void copy()}>
        <LinkIcon />
      </ToolbarButton>
      <span role="status" className={said ? "toast" : "sr-only"}>
        {said}
      </span>
    </>
  );
}
