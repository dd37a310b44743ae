// A server of its own with demo data, and a Chromium that reaches nothing but this machine; for the browser tests.
// It must not pass quietly when something asked for another host.
import { spawn, spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { createInterface } from "node:readline";
import { chromium } from "playwright-core";

const root = resolve(import.meta.dirname, "../..");
const binary = process.env.CONSOLE_TEST_BINARY ?? join(root, "target/debug/guardianeye");
export const shots = join(root, "web/screenshots");

function findChromium() {
  const names = [process.env.CHROMIUM, "/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"];
  const found = names.find((name) => name && existsSync(name));
  if (!found) throw new Error("no Chromium here; install it (Debian: apt-get install chromium) or name it in CHROMIUM");
  return found;
}

function run(args, env) {
  const { status, stderr, error } = spawnSync(binary, args, { env, encoding: "utf8" });
  if (status !== 0) throw new Error(`${binary} ${args.join(" ")}: ${error ?? stderr}`);
}

/** The process and where it listens. */
async function serve(env, port) {
  const child = spawn(binary, ["serve", "--port", port], { env, stdio: ["ignore", "ignore", "pipe"] });
  const lines = createInterface({ input: child.stderr });
  let log = "";
  const url = await new Promise((found, failed) => {
    child.once("exit", () => failed(new Error(`the server did not start: ${log}`)));
    lines.on("line", (line) => {
      log += `${line}\n`;
      const address = /listening on (http:\/\/\S+)/.exec(line);
      if (address) found(address[1]);
    });
  });
  if (log.includes("without the console")) throw new Error("this binary has no console in it: `make web`, then build");
  return { child, url };
}

/** A running server over demo data; `stop` ends it and removes them. `pause` ends the process alone, `goOn` starts it again. */
export async function startServer({ rows = 5_000 } = {}) {
  const folder = mkdtempSync(join(tmpdir(), "guardianeye-console-"));
  const env = { ...process.env, DATABASE_URL: `sqlite:${folder}/console.db` };
  run(["db", "init"], env);
  run(["db", "seed"], env);
  run(["db", "seed", "--users", "30", "--sessions", "200", "--audit-logs", String(rows)], env);
  let { child, url } = await serve(env, "0");
  const pause = () =>
    new Promise((done) => {
      child.once("exit", done);
      child.kill("SIGTERM");
    });
  const goOn = async () => {
    ({ child } = await serve(env, new URL(url).port));
  };
  const stop = async () => {
    await pause();
    rmSync(folder, { recursive: true, force: true });
  };
  return { url, stop, pause, goOn };
}

/** A browser whose pages note what they asked of others, what went wrong, and what the policy refused. */
export async function startBrowser() {
  mkdirSync(shots, { recursive: true });
  const browser = await chromium.launch({
    executablePath: findChromium(),
    args: [
      // No name but this machine's is ever resolved, whoever asks: page, worker or the browser itself.
      "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
      "--disable-background-networking",
      ...(process.getuid?.() === 0 ? ["--no-sandbox"] : []),
    ],
  });
  const strangers = [];
  const complaints = [];

  async function newPage(options = {}) {
    const context = await browser.newContext({
      viewport: { width: 1360, height: 860 },
      colorScheme: "light",
      locale: "en-GB",
      timezoneId: "UTC",
      reducedMotion: "reduce",
      permissions: ["clipboard-read", "clipboard-write"],
      ...options,
    });
    context.setDefaultTimeout(15_000);
    await context.route(
      (address) => !isHere(address),
      (route) => {
        strangers.push(route.request().url());
        return route.abort();
      },
    );
    const page = await context.newPage();
    page.on("pageerror", (error) => complaints.push(String(error)));
    page.on("console", (message) => {
      // A refused sign-in is an answer with an error status, which browsers write to the console.
      const expected = /Failed to load resource/.test(message.text());
      if (message.type() === "error" && !expected) complaints.push(message.text());
    });
    return page;
  }
  return { newPage, strangers, complaints, stop: () => browser.close() };
}

function isHere({ protocol, hostname }) {
  return ["data:", "blob:", "about:"].includes(protocol) || hostname === "127.0.0.1";
}

/** Whom the tests already gave a password of their own. */
const passwords = new Map();

export async function signIn(page, url, username, { keep = false, password } = {}) {
  await page.goto(url);
  await page.getByLabel("User name or e-mail").fill(username);
  await page.getByLabel("Password").fill(password ?? passwords.get(username) ?? username);
  if (keep) await page.getByLabel("Keep me signed in for this tab").check();
  await page.getByRole("button", { name: "Sign in" }).click();
}

/** Past the page that asks for another password than the one everybody knows. */
export async function enter(page, username) {
  const inside = page.getByRole("button", { name: "Sign out" }).and(page.locator("header button"));
  const change = page.getByRole("button", { name: "Change the password" });
  await inside.or(change).first().waitFor();
  await page.waitForLoadState("networkidle");
  if (await change.isVisible()) {
    const password = "teapot velvet orbit cactus";
    await page.getByLabel("Current password").fill(passwords.get(username) ?? username);
    await page.getByLabel("New password", { exact: true }).fill(password);
    await page.getByLabel("New password again").fill(password);
    await change.click();
    passwords.set(username, password);
  }
  await inside.waitFor();
}
