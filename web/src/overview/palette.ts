// A colour for each action, the same everywhere and told apart also with little colour vision; failures are the red one.

const COLOURS: Record<string, [light: string, dark: string]> = {
  FAILED_LOGIN: ["#d1363f", "#f2777a"],
  LOGIN: ["#2563b8", "#6aa8f0"],
  LOGOUT: ["#9dbfe6", "#3c6ea8"],
  QUERY_AGENT: ["#0f9688", "#4fd1c0"],
  AGENT_EXECUTION: ["#7a5bc9", "#a993ee"],
  SESSION_CREATED: ["#5f9e3c", "#9bd071"],
  SESSION_ENDED: ["#b6d69f", "#55803a"],
  USER_CREATED: ["#c98a12", "#edc15c"],
  USER_UPDATED: ["#e8c37a", "#a87b22"],
  USER_DELETED: ["#9a4b14", "#dd8f55"],
  CONFIG_CHANGED: ["#b0428a", "#e58cc6"],
  PASSWORD_CHANGED: ["#4b57a8", "#8d97e6"],
  TOKEN_CREATED: ["#3f8fa3", "#78c3d6"],
  TOKEN_REVOKED: ["#9fcad6", "#427a89"],
  TOKEN_REUSE: ["#a3122b", "#ff8fa3"],
  ACCESS_DENIED: ["#e0782f", "#f0a36b"],
  LIMIT_EXCEEDED: ["#8a6d3b", "#c5a76d"],
};
const OTHERS: [string, string] = ["#8b98a5", "#6f7f8e"];

export function colourOf(action: string | null, theme: "light" | "dark"): string {
  return (COLOURS[action ?? ""] ?? OTHERS)[theme === "light" ? 0 : 1];
}
