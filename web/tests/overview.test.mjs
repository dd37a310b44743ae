// The overview in a real browser: numbers, filters, ways into GraphiQL, and the states without numbers.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { enter, signIn, startBrowser, startServer } from "./harness.mjs";

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

async function openOverview({ hash = "", before: prepare } = {}) {
  const page = await browser.newPage();
  await signIn(page, `${server.url}/${hash}`, "analyst");
  await prepare?.(page);
  await enter(page, "analyst");
  await page.getByRole("heading", { name: "Overview" }).waitFor();
  return page;
}

const figure = async (page, title) =>
  Number((await page.getByRole("button", { name: title }).locator("strong").innerText()).replaceAll(",", ""));

test("figures, chart, rankings and tail show what the database holds", async () => {
  const page = await openOverview();
  await page.locator(".legend li").first().waitFor();
  assert.ok((await figure(page, /^Entries/)) > 100);
  assert.ok((await figure(page, /^Open conversations/)) > 10);
  const drawn = await page.locator("canvas").evaluate((canvas) => {
    const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
    return data.some((value, index) => index % 4 === 3 && value > 0);
  });
  assert.ok(drawn, "the chart is not empty");
  const counts = await page.locator(".legend .count").allInnerTexts();
  const sum = counts.reduce((total, count) => total + Number(count.replaceAll(",", "")), 0);
  assert.equal(sum, await figure(page, /^Entries/), "the series add up to the total");
  assert.equal(await page.locator(".ranking").count(), 2);
  assert.ok((await page.locator(".tail tbody tr").count()) > 10);
  await page.getByText("The numbers as a table").click();
  assert.ok((await page.getByRole("region", { name: /as a table/ }).locator("tbody tr").count()) >= 7);
});

test("the URL carries the filters, both ways", async () => {
  const page = await openOverview({ hash: "#/overview?range=30d&action=LOGIN" });
  await page.locator(".legend li").first().waitFor();
  assert.equal(await page.getByLabel("Time", { exact: true }).inputValue(), "30d");
  assert.equal(await page.getByLabel("Action", { exact: true }).inputValue(), "LOGIN");
  assert.deepEqual(await page.locator(".legend button").allInnerTexts().then((texts) => texts.map((text) => text.split(/[\d]/)[0].trim())), ["login"]);
  await page.getByLabel("User", { exact: true }).fill("analyst");
  await page.getByLabel("User", { exact: true }).press("Enter");
  await page.waitForURL(/user=analyst/);
  await page.getByLabel("Time", { exact: true }).selectOption("custom");
  await page.waitForURL(/range=custom.*from=.*to=/);
  await page.goBack();
  assert.equal(await page.getByLabel("Time", { exact: true }).inputValue(), "30d");
  await page.getByRole("button", { name: "Clear" }).click();
  await page.waitForURL(/#\/overview$/);
});

test("each number leads to its query in GraphiQL, already run", async () => {
  const page = await openOverview();
  for (const open of [
    page.getByRole("button", { name: /^Failures/ }),
    page.getByRole("button", { name: "Open the query" }),
    page.locator(".ranking button").first(),
    page.locator(".tail tbody button").first(),
  ]) {
    await open.click();
    await page.locator(".result-bar .state").getByText("OK").waitFor();
    await page.goBack();
    await page.locator(".legend li").first().waitFor();
  }
});

test("a bar of the chart leads to its entries", async () => {
  const page = await openOverview();
  await page.locator(".legend li").first().waitFor();
  const { width, height } = await page.locator("canvas").boundingBox();
  await page.locator("canvas").click({ position: { x: width * 0.94, y: height * 0.8 } });
  await page.locator(".graphiql-tab-button").getByText(/AuditTrail/).waitFor();
  await page.locator(".result-bar .state").getByText("OK").waitFor();
});

test("new entries appear in the tail by themselves, and not while it is paused", async () => {
  const page = await openOverview();
  await page.locator(".tail tbody tr").first().waitFor();
  const other = await browser.newPage();
  const attempt = () => signIn(other, server.url, "somebody-new", { password: "wrong" });
  await attempt();
  await page.locator(".tail tr.fresh").first().waitFor();
  await page.getByRole("button", { name: "Pause" }).click();
  const shown = await page.locator(".tail tbody").innerText();
  await attempt();
  await page.waitForTimeout(6_000);
  assert.equal(await page.locator(".tail tbody").innerText(), shown);
});

test("no entries, no such user and a refusal are each told in words", async () => {
  const empty = await openOverview({
    hash: "#/overview?range=custom&from=2001-01-01T00:00:00.000Z&to=2001-01-02T00:00:00.000Z",
  });
  await empty.getByText("Nothing happened in this time").waitFor();
  await empty.getByText("Nothing here yet").waitFor();
  const nobody = await openOverview({ hash: "#/overview?user=nobody-at-all" });
  await nobody.getByText("There is no user called nobody-at-all.").waitFor();

  const refused = await openOverview({
    before: (page) =>
      page.route("**/graphql", (route) => {
        if (!(route.request().postData() ?? "").includes("query Overview")) return route.continue();
        const errors = [{ message: "too slow", extensions: { code: "TIMEOUT" } }];
        return route.fulfill({ contentType: "application/json", body: JSON.stringify({ data: null, errors }) });
      }),
  });
  await refused.getByText("This took too long and was stopped.").waitFor();
  await refused.unroute("**/graphql");
  await refused.getByRole("button", { name: "Try again" }).click();
  await refused.locator(".legend li").first().waitFor();
});

test("nothing was asked of another host, and no page complained", () => {
  assert.deepEqual(browser.strangers, []);
  assert.deepEqual(browser.complaints, []);
});
