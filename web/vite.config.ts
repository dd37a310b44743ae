// Builds the console into dist/, which the server embeds. Everything comes from this origin, and nothing is inlined that
// the Content-Security-Policy of src/http/console.rs would refuse.
import react from "@vitejs/plugin-react";
import { defineConfig } from "vite";

const server = process.env.CONSOLE_SERVER ?? "http://127.0.0.1:8000";

export default defineConfig({
  plugins: [react()],
  build: {
    target: "es2022",
    // Assets stay files with hashed names: they are cached for ever, and data: URLs need no exception.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    chunkSizeWarningLimit: 4_000,
    rolldownOptions: {
      onLog(level, log, handle) {
        // Directives to React's compiler, which is not used here.
        if (log.code !== "MODULE_LEVEL_DIRECTIVE") handle(level, log);
      },
    },
  },
  worker: { format: "es" },
  server: { proxy: { "/graphql": { target: server, ws: true }, "/health": server } },
});
