// A console whose server goes away and comes back, in a real browser.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { enter, shots, signIn, startBrowser, startServer } from "./harness.mjs";

let server;
let browser;
before(async () => {
  server = await startServer();
  browser = await startBrowser();
});
after(async () => {
  await browser?.stop();
  await server?.stop();
});

const gone = (page) => page.getByRole("alert").getByText("The server does not answer.");

/** It is seen where the content begins, below the header, without scrolling. */
async function isInView(page) {
  const { y, width } = await gone(page).locator("xpath=..").boundingBox();
  const header = await page.getByRole("banner").boundingBox();
  assert.ok(Math.abs(y - header.height) < 4 && width > 1_000, `at ${y}, ${width} wide`);
}

test("an overview nobody touches says that the server is gone, and goes on when it is back", async () => {
  const page = await browser.newPage();
  await signIn(page, server.url, "analyst");
  await enter(page, "analyst");
  await page.locator(".tail tbody tr").first().waitFor();
  await page.locator("main").evaluate((main) => main.scrollTo(0, main.scrollHeight));
  assert.equal(await gone(page).count(), 0);
  await server.pause();
  await gone(page).waitFor();
  await isInView(page);
  await page.screenshot({ path: `${shots}/server-gone.png` });
  await server.goOn();
  await gone(page).waitFor({ state: "detached" });
  // The live tail shows what happens from now on.
  const other = await browser.newPage();
  await signIn(other, server.url, "somebody-new", { password: "wrong" });
  await page.locator(".tail tr.fresh").first().waitFor();
  await page.screenshot({ path: `${shots}/server-back.png` });
});

test("a query that fails because the server is gone says so at the top, and works again when it is back", async () => {
  const page = await browser.newPage();
  await signIn(page, `${server.url}/#/explore`, "analyst");
  await enter(page, "analyst");
  await page.locator(".graphiql-query-editor .view-line").first().waitFor();
  await page.waitForLoadState("networkidle");
  await server.pause();
  await page.getByRole("button", { name: /^Execute/ }).click();
  await gone(page).waitFor();
  await isInView(page);
  await page.screenshot({ path: `${shots}/server-gone-explore.png` });
  await server.goOn();
  await gone(page).waitFor({ state: "detached" });
  await page.getByRole("button", { name: /^Execute/ }).click();
  await page.locator(".result-bar .state").getByText("OK").waitFor();
});

test("a request that alone fails is no reason to say that the server is gone", async () => {
  const page = await browser.newPage();
  await signIn(page, server.url, "analyst");
  await enter(page, "analyst");
  await page.locator(".legend li").first().waitFor();
  await page.route("**/graphql", (route) => route.abort());
  const asked = page.waitForResponse((response) => response.url().endsWith("/health/live"));
  await page.getByRole("button", { name: "Refresh" }).click();
  await asked;
  await page.getByText("The server cannot be reached.").first().waitFor();
  assert.equal(await gone(page).count(), 0);
});

test("nothing was asked of another host, and no page complained", () => {
  assert.deepEqual(browser.strangers, []);
  // What is left of a worker of the editor that could not be fetched while the server was gone.
  assert.deepEqual(browser.complaints.filter((text) => text !== "Event"), []);
});
