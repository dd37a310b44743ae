// Puts a query into GraphiQL: into the tab in front if that is empty, else into a new one.
import { pick, useGraphiQL, useGraphiQLActions } from "@graphiql/react";
import { useCallback } from "react";

/** GraphiQL reads the operation's name from the text a moment after the text changed. */
const SETTLED_MS = 350;

export type Open = (query: string, variables: string, run?: boolean) => void;

/** Undefined until the editors are there. */
export function useOpen(): Open | undefined {
  const { addTab, run: execute } = useGraphiQLActions();
  const { queryEditor, variableEditor, headerEditor, responseEditor } = useGraphiQL(
    pick("queryEditor", "variableEditor", "headerEditor", "responseEditor"),
  );
  const open = useCallback<Open>(
    (query, variables, run = false) => {
      if (queryEditor?.getValue().trim()) addTab();
      queryEditor?.setValue(query);
      variableEditor?.setValue(variables);
      headerEditor?.setValue("");
      responseEditor?.setValue("");
      if (run) setTimeout(() => void execute(), SETTLED_MS);
      queryEditor?.focus();
    },
    [addTab, execute, queryEditor, variableEditor, headerEditor, responseEditor],
  );
  return queryEditor && variableEditor && responseEditor ? open : undefined;
}
