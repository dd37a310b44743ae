// GraphiQL calls its tabs `role="tab"` but puts two buttons into each, which screen readers cannot reach there. Here
// they become what they are: a list of buttons, the one in front marked as current.
import { pick, useGraphiQL } from "@graphiql/react";
import { useEffect } from "react";

export function useMendedTabs() {
  const { tabs, activeTabIndex } = useGraphiQL(pick("tabs", "activeTabIndex"));
  useEffect(() => {
    const list = document.querySelector(".graphiql-tabs");
    list?.setAttribute("role", "list");
    list?.querySelectorAll(".graphiql-tab").forEach((tab, index) => {
      tab.setAttribute("role", "listitem");
      tab.removeAttribute("aria-selected");
      const button = tab.querySelector(".graphiql-tab-button");
      if (index === activeTabIndex) button?.setAttribute("aria-current", "true");
      else button?.removeAttribute("aria-current");
    });
    document.getElementById("graphiql-session")?.setAttribute("role", "region");
  }, [tabs, activeTabIndex]);
}
