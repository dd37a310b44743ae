// How the console looks and reads: axe on every page in both themes, keyboard, narrow windows, pictures to look at.
import assert from "node:assert/strict";
import { createRequire } from "node:module";
import { after, before, test } from "node:test";
import { enter, shots, signIn, startBrowser, startServer } from "./harness.mjs";

const axe = createRequire(import.meta.url).resolve("axe-core/axe.min.js");

let server;
let browser;
before(async () => {
  server = await startServer({ rows: 8_000 });
  browser = await startBrowser();
});
after(async () => {
  await browser?.stop();
  await server?.stop();
});

/** Serious findings, one line each. The script comes through the debugger, which no policy of the page keeps out. */
async function findings(page) {
  const { readFile } = await import("node:fs/promises");
  await page.evaluate(await readFile(axe, "utf8"));
  const { violations } = await page.evaluate(() => window.axe.run(document, { resultTypes: ["violations"] }));
  return violations
    .filter(({ impact }) => impact === "serious" || impact === "critical")
    .flatMap(({ id, nodes }) => nodes.map(({ target, failureSummary }) => `${id}: ${target} ${failureSummary}`));
}

for (const theme of ["light", "dark"]) {
  test(`every page in ${theme} is usable by everybody`, async () => {
    const page = await browser.newPage({ colorScheme: theme });
    await page.goto(server.url);
    await page.getByRole("button", { name: "Sign in" }).waitFor();
    await page.screenshot({ path: `${shots}/login-${theme}.png` });
    assert.deepEqual(await findings(page), []);

    await signIn(page, server.url, "analyst");
    await enter(page, "analyst");
    await page.locator(".legend li").first().waitFor();
    await page.locator(".tail tbody tr").first().waitFor();
    await page.waitForLoadState("networkidle");
    await page.screenshot({ path: `${shots}/overview-${theme}.png` });
    assert.deepEqual(await findings(page), []);
    await page.locator(".tail").scrollIntoViewIfNeeded();
    await page.locator("main").evaluate((main) => main.scrollTo(0, main.scrollHeight));
    await page.screenshot({ path: `${shots}/tail-${theme}.png` });

    await page.getByRole("link", { name: "Explore" }).click();
    await page.getByRole("button", { name: /Failed logins in the last 24 hours/ }).click();
    await page.waitForTimeout(500);
    await page.getByRole("button", { name: /^Execute/ }).click();
    await page.locator(".result-bar .state").waitFor();
    await page.waitForTimeout(300);
    await page.screenshot({ path: `${shots}/query-${theme}.png` });
    assert.deepEqual(await findings(page), []);
    await page.getByRole("button", { name: "Show Documentation Explorer" }).click();
    await page.getByRole("link", { name: "Query", exact: true }).click();
    await page.waitForTimeout(300);
    await page.screenshot({ path: `${shots}/docs-${theme}.png` });
  });
}

test("the keyboard is enough to sign in, skip to the content and sign out", async () => {
  const page = await browser.newPage();
  await page.goto(server.url);
  await page.getByRole("button", { name: "Sign in" }).waitFor();
  await page.keyboard.type("nobody");
  await page.keyboard.press("Tab");
  await page.keyboard.type("wrong");
  await page.keyboard.press("Enter");
  await page.getByRole("alert").waitFor();
  await signIn(page, server.url, "analyst");
  await enter(page, "analyst");
  await page.locator("body").evaluate(() => document.activeElement?.blur());
  await page.keyboard.press("Tab");
  await page.keyboard.press("Enter");
  assert.equal(await page.evaluate(() => document.activeElement.id), "main");
  await page.getByRole("button", { name: "Sign out" }).focus();
  await page.keyboard.press("Enter");
  await page.getByRole("button", { name: "Sign in" }).waitFor();
});

test("the theme can be chosen, and is remembered", async () => {
  const page = await browser.newPage();
  await page.goto(server.url);
  await page.getByRole("button", { name: "Switch to the dark theme" }).click();
  await page.reload();
  await page.getByRole("button", { name: "Switch to the light theme" }).waitFor();
  assert.equal(await page.evaluate(() => document.documentElement.dataset.theme), "dark");
});

test("a narrow window needs no sideways scrolling", async () => {
  const page = await browser.newPage({ viewport: { width: 390, height: 844 } });
  await signIn(page, server.url, "analyst");
  await enter(page, "analyst");
  await page.locator(".legend li").first().waitFor();
  await page.screenshot({ path: `${shots}/overview-narrow.png` });
  const main = await page.locator("main").evaluate(({ scrollWidth, clientWidth }) => scrollWidth - clientWidth);
  assert.equal(main, 0);
  const bar = await page.getByRole("banner").evaluate(({ scrollWidth, clientWidth }) => scrollWidth - clientWidth);
  assert.equal(bar, 0);
});

test("nothing was asked of another host, and no page complained", () => {
  assert.deepEqual(browser.strangers, []);
  assert.deepEqual(browser.complaints, []);
});
