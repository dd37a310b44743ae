// GraphiQL in a real browser: queries, docs, history, links, exports, receipts.
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
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

async function openExplore({ hash = "#/explore", username = "analyst" } = {}) {
  const page = await browser.newPage();
  await signIn(page, `${server.url}/${hash}`, username);
  await enter(page, username);
  await page.locator(".graphiql-query-editor .view-line").first().waitFor();
  return page;
}

const execute = (page) => page.getByRole("button", { name: /^Execute/ }).click();
const answer = (page) => page.locator(".result-window");
const state = (page) => page.locator(".result-bar .state dd");
const link = (query, variables) =>
  `#/explore?${new URLSearchParams(variables ? { query, variables: JSON.stringify(variables) } : { query })}`;

/** What the answer says, whatever part of it is in view. */
const answered = (page) =>
  page.waitForResponse((response) => response.url().endsWith("/graphql")).then((response) => response.json());

test("a ready query with nested fields is answered, with its receipt beside it", async () => {
  const page = await openExplore();
  await page.getByRole("button", { name: /A user's conversations with their audit trail/ }).click();
  await page.locator(".graphiql-tab-button").getByText(/UserWithTrail/).waitFor();
  const body = answered(page);
  await execute(page);
  const { data } = await body;
  assert.equal(data.userByUsername.username, "analyst");
  assert.ok(data.userByUsername.sessions.nodes.length > 0 && data.userByUsername.auditLogs.nodes.length > 0);
  assert.ok(data.userByUsername.auditLogs.totalCount > 0);
  await state(page).getByText("OK").waitFor();
  const receipt = await page.locator(".receipt").innerText();
  assert.match(receipt.replaceAll(/\s+/g, " "), /OK [\d,]+ cost [\d,]+ statements [\d,]+ rows [\d.,]+ ms/);
  assert.doesNotMatch(await answer(page).innerText(), /receipt/);
});

test("all ready queries are answered without an error", async () => {
  const page = await openExplore();
  const ready = page.getByRole("region", { name: "Ready queries" }).getByRole("button");
  for (let index = 0; index < (await ready.count()); index += 1) {
    await ready.nth(index).click();
    await page.waitForTimeout(500);
    const body = answered(page);
    await execute(page);
    const { data, errors } = await body;
    const title = await ready.nth(index).innerText();
    assert.equal(errors, undefined, title);
    if (title.startsWith("Who changed roles")) assert.ok(data.auditLogs.totalCount > 0, "the demo data have some");
  }
});

test("the docs, the explorer and the history are there", async () => {
  const page = await openExplore();
  await page.getByRole("button", { name: "Show Documentation Explorer" }).click();
  await page.getByRole("link", { name: "Query", exact: true }).click();
  await page.getByText("All audit log entries, newest first.").waitFor();
  await page.getByRole("button", { name: "Show GraphiQL Explorer" }).click();
  await page.locator(".docExplorerWrap, .graphiql-explorer-root").getByText("auditLogStats").waitFor();
  await execute(page);
  await state(page).waitFor();
  await page.getByRole("button", { name: "Show History" }).click();
  await page.locator(".graphiql-history-item-label").getByText("Me").waitFor();
});

test("the editor completes field names from the schema", async () => {
  const page = await openExplore({ hash: link("{ m }") });
  await page.getByText("{ m }").click();
  await page.keyboard.press("Control+Home");
  await page.keyboard.press("ArrowRight");
  await page.keyboard.press("ArrowRight");
  await page.keyboard.press("ArrowRight");
  await page.keyboard.press("Control+Space");
  await page.locator(".suggest-widget").getByText("me", { exact: true }).waitFor();
});

test("a link holds query and variables but no secret, and never runs by itself", async () => {
  const query = "query Who($username: String!) { userByUsername(username: $username) { role } }";
  const first = await openExplore({ hash: link(query, { username: "admin", password: "geheim" }) });
  await first.locator(".graphiql-tab-button").getByText(/Who/).waitFor();
  await first.getByRole("button", { name: "Copy a link" }).click();
  await first.getByText("Link copied").waitFor();
  const copied = await first.evaluate(() => navigator.clipboard.readText());
  const shared = new URLSearchParams(new URL(copied).hash.split("?")[1]);
  assert.equal(shared.get("query"), query);
  assert.equal(JSON.parse(shared.get("variables")).username, "admin");
  assert.ok(!/eyJ|geheim|Bearer/.test(decodeURIComponent(copied)));

  const second = await browser.newPage();
  const asked = [];
  second.on("request", (request) => asked.push(request.postData() ?? ""));
  await signIn(second, copied, "analyst");
  await enter(second, "analyst");
  await second.locator(".graphiql-tab-button").getByText(/Who/).waitFor();
  await second.waitForTimeout(800);
  assert.ok(!asked.some((body) => body.includes("query Who")), "a link must not run what somebody else wrote");
  const body = answered(second);
  await execute(second);
  assert.equal((await body).data.userByUsername.role, "ADMIN");
});

test("tokens and passwords in a query are not kept", async () => {
  const query = 'mutation L { login(input: { username: "analyst", password: "geheim" }) { accessToken } }';
  const page = await openExplore({ hash: link(query) });
  await execute(page);
  await state(page).waitFor();
  await page.waitForTimeout(800);
  const kept = await page.evaluate(() => JSON.stringify({ ...localStorage }));
  assert.match(kept, /mutation L/);
  assert.doesNotMatch(kept, /geheim/);
});

test("tokens, escaped passwords and variables that are passwords are in no history and no link", async () => {
  const token = `gey_${"4vXz81LmQ".repeat(5)}`;
  const query = String.raw`mutation Secret($p: String!) { a: login(input: { username: "x", password: "say \"geheim\"" }) { expiresAt } b: login(input: { username: "${token}", password: $p }) { expiresAt } }`;
  const page = await openExplore({ hash: link(query, { p: "geheim", nested: { clientSecret: ["geheim"], note: token } }) });
  await page.locator(".graphiql-tab-button").getByText(/Secret/).waitFor();
  await execute(page);
  await state(page).waitFor();
  await page.waitForTimeout(800);
  const kept = await page.evaluate(() => JSON.stringify({ ...localStorage }));
  assert.match(kept, /mutation Secret/);
  assert.doesNotMatch(kept, /geheim|gey_/);
  await page.getByRole("button", { name: "Copy a link" }).click();
  await page.getByText("Link copied").waitFor();
  const copied = decodeURIComponent(await page.evaluate(() => navigator.clipboard.readText()));
  assert.match(copied, /mutation.Secret/);
  assert.doesNotMatch(copied, /geheim|gey_/);
});

test("a result is exported as JSON and as CSV that is no formula", async () => {
  const page = await openExplore({ hash: link("{ auditLogs { nodes { description } } }") });
  const nodes = ["=1+1", "+1", "-1", "@sum", "\tx", "\rx", 'plain, "quoted"', null].map((description, index) => ({
    description,
    user: { name: "zoë", rank: -1 - index },
  }));
  await page.route("**/graphql", (route) =>
    route.fulfill({ contentType: "application/json", body: JSON.stringify({ data: { auditLogs: { nodes } } }) }),
  );
  await execute(page);
  await state(page).waitFor();
  const save = async (item) => {
    await page.getByRole("button", { name: "Export the result" }).click();
    const [file] = await Promise.all([page.waitForEvent("download"), page.getByRole("menuitem", { name: item }).click()]);
    return { name: file.suggestedFilename(), text: await readFile(await file.path(), "utf8") };
  };
  const csv = await save(/CSV, auditLogs.nodes \(8 rows\)/);
  assert.match(csv.name, /^auditLogs\.nodes-.*\.csv$/);
  assert.equal(
    csv.text,
    "description,user.name,user.rank\r\n'=1+1,zoë,-1\r\n'+1,zoë,-2\r\n'-1,zoë,-3\r\n'@sum,zoë,-4\r\n" +
      "\"'\tx\",zoë,-5\r\n\"'\rx\",zoë,-6\r\n\"plain, \"\"quoted\"\"\",zoë,-7\r\n,zoë,-8\r\n",
  );
  const json = await save(/JSON/);
  assert.deepEqual(JSON.parse(json.text), { data: { auditLogs: { nodes } } });
});

test("headers of the editor are sent, and tabs keep their answers apart", async () => {
  const page = await openExplore({ hash: link("query First { me { role } }") });
  await page.getByRole("button", { name: "Headers" }).click();
  await page.locator(".graphiql-editor-tool .graphiql-editor:not(.hidden) .view-lines").click();
  await page.keyboard.insertText('{ "X-Request-Id": "from-the-editor" }');
  await page.waitForTimeout(300);
  const sent = page.waitForRequest((request) => request.headers()["x-request-id"] === "from-the-editor");
  await execute(page);
  assert.match((await sent).headers().authorization, /^Bearer /);
  await state(page).waitFor();
  await page.getByRole("button", { name: "New tab" }).click();
  await page.getByText("Run a query, and what it cost is shown here.").waitFor();
  await page.locator(".graphiql-tab-button").getByText(/First/).click();
  await state(page).getByText("OK").waitFor();
});

test("a refused subscription, a mistake and a forbidden field are told, and break nothing", async () => {
  const page = await openExplore({ hash: link("subscription S { auditLogAdded { auditLog { id } } }"), username: "viewer" });
  await execute(page);
  await answer(page).getByText(/subscription|auditLogAdded|FORBIDDEN|WebSocket/).first().waitFor();
  for (const [query, code] of [["{ nothing }", "GRAPHQL_VALIDATION_FAILED"], ["{ users { totalCount } }", "FORBIDDEN"]]) {
    await page.evaluate((hash) => (location.hash = hash), link(query));
    await page.waitForTimeout(600);
    const body = answered(page);
    await execute(page);
    assert.equal((await body).errors[0].extensions.code, code);
    await state(page).getByText(/Failed|Partly/).waitFor();
  }
});

test("a subscription is shown event by event, over a socket that carries the token", async () => {
  const page = await browser.newPage();
  const said = [];
  // In the place of the server, which has no subscriptions: graphql-transport-ws as its protocol has it.
  await page.routeWebSocket(/\/graphql$/, (socket) => {
    const say = (message) => socket.send(JSON.stringify(message));
    socket.onMessage((text) => {
      const message = JSON.parse(text);
      said.push(message);
      if (message.type === "connection_init") say({ type: "connection_ack" });
      if (message.type !== "subscribe") return;
      for (const description of ["the first event", "the second event"]) {
        say({ id: message.id, type: "next", payload: { data: { auditLogAdded: { auditLog: { description } } } } });
      }
      say({ id: message.id, type: "complete" });
    });
  });
  await signIn(page, `${server.url}/${link("subscription Live { auditLogAdded { auditLog { description } } }")}`, "analyst");
  await enter(page, "analyst");
  await execute(page);
  await answer(page).getByText("the second event").waitFor();
  assert.match(said.find(({ type }) => type === "connection_init").payload.Authorization, /^Bearer ey/);
  assert.match(said.find(({ type }) => type === "subscribe").payload.query, /auditLogAdded/);
});

test("what the editor gives up when it is closed is no error", async () => {
  const page = await browser.newPage();
  await signIn(page, server.url, "analyst");
  await enter(page, "analyst");
  await page.goto(`${server.url}/#/explore`);
  await page.locator(".graphiql-container").waitFor();
  const silent = await page.evaluate(() => {
    const cancelled = Object.assign(new Error("Canceled"), { name: "Canceled" });
    const event = (reason) => new PromiseRejectionEvent("unhandledrejection", { promise: Promise.resolve(), reason, cancelable: true });
    return [cancelled, new Error("Canceled"), new TypeError("x"), undefined].map((reason) => !dispatchEvent(event(reason)));
  });
  assert.deepEqual(silent, [true, false, false, false]);
});

test("nothing was asked of another host, and no page complained", () => {
  assert.deepEqual(browser.strangers, []);
  // A WebSocket that the server refuses is written to the console by the browser itself.
  assert.deepEqual(browser.complaints.filter((text) => !text.includes("WebSocket connection to 'ws://127.0.0.1")), []);
});
