// Under the answer: what it cost, and the ways to take it along.
import { DropdownMenu, pick, useGraphiQL } from "@graphiql/react";
import { useStore } from "../store.ts";
import { DownloadIcon } from "../ui/icons.tsx";
import { digits } from "../ui/parts.tsx";
import { csv, download, listsOf } from "./export.ts";
import { type Recorded, answers } from "./fetcher.ts";

export function ResultBar() {
  const { tabs, activeTabIndex } = useGraphiQL(pick("tabs", "activeTabIndex"));
  const answer = useStore(answers).get(tabs[activeTabIndex]?.id ?? "");
  if (!answer) {
    return <div className="result-bar idle">Run a query, and what it cost is shown here.</div>;
  }
  return (
    <div className="result-bar">
      <Receipt answer={answer} />
      <Export answer={answer} />
    </div>
  );
}

const time = (ms: number) => (ms < 10 ? ms.toFixed(1) : digits(Math.round(ms)));
const size = (bytes: number) => (bytes < 1_000 ? `${bytes} B` : `${(bytes / 1_000).toFixed(1)} kB`);

function Receipt({ answer: { receipt, status, ms, bytes, body } }: { answer: Recorded }) {
  const failed = Boolean(body.errors?.length);
  const facts: [string, string, string][] = [];
  if (receipt?.cost != null) facts.push(["cost", digits(receipt.cost), "The fields in the largest answer it could have"]);
  if (receipt?.statements != null) facts.push(["statements", digits(receipt.statements), "SQL statements it took"]);
  if (receipt?.rows != null) facts.push(["rows", digits(receipt.rows), "Rows that the database handed out"]);
  const here = `this page waited ${time(ms)} ms for ${size(bytes)}`;
  facts.push(["ms", time(receipt?.durationMs ?? ms), receipt ? `Time on the server; ${here}` : here]);
  return (
    <dl className="receipt" aria-label="Receipt" title={`HTTP ${status}${receipt?.requestId ? `, request ${receipt.requestId}` : ""}`}>
      <div className={failed ? "state bad" : "state good"}>
        <dt className="sr-only">Result</dt>
        <dd>{failed ? (body.data ? "Partly" : "Failed") : "OK"}</dd>
      </div>
      {facts.map(([name, value, meaning]) => (
        <div key={name} title={meaning}>
          <dd>{value}</dd> <dt>{name}</dt>
        </div>
      ))}
    </dl>
  );
}

function Export({ answer: { name, body } }: { answer: Recorded }) {
  const lists = listsOf(body.data);
  const stamp = new Date().toISOString().slice(0, 19).replaceAll(":", "-");
  return (
    <DropdownMenu>
      <DropdownMenu.Button className="export-button" aria-label="Export the result">
        <DownloadIcon />
        Export
      </DropdownMenu.Button>
      <DropdownMenu.Content>
        <DropdownMenu.Item
          onSelect={() => download(`${name}-${stamp}.json`, "application/json", `${JSON.stringify(body, null, 2)}\n`)}
        >
          JSON, the whole answer
        </DropdownMenu.Item>
        {lists.map(({ path, rows }) => (
          <DropdownMenu.Item
            key={path}
            onSelect={() => download(`${path}-${stamp}.csv`, "text/csv;charset=utf-8", csv(rows))}
          >
            CSV, {path} ({digits(rows.length)} {rows.length === 1 ? "row" : "rows"})
          </DropdownMenu.Item>
        ))}
      </DropdownMenu.Content>
    </DropdownMenu>
  );
}
