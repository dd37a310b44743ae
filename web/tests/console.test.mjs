// The console in a real browser: signing in and out, what strangers see, what it fetches and what it keeps.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { enter, signIn, startBrowser, startServer } from "./harness.mjs";

/** Of what a page fetches until it can be used, compressed. */
const MOST_BYTES_AT_FIRST = 150_000;
const MOST_BYTES_WITH_EDITOR = 2_000_000;

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

/** What the page fetched, in bytes as they went over the wire. */
function meter(page) {
  const sizes = [];
  page.on("requestfinished", (request) => sizes.push(request.sizes().then((size) => size.responseBodySize)));
  return async () => (await Promise.all(sizes)).reduce((sum, size) => sum + size, 0);
}

test("strangers get the sign-in, quickly, and nothing of the schema", async (t) => {
  const page = await browser.newPage();
  const bytes = meter(page);
  const asked = [];
  page.on("request", (request) => asked.push(new URL(request.url()).pathname));
  const response = await page.goto(server.url);
  await page.getByRole("button", { name: "Sign in" }).waitFor();
  const interactive = await page.evaluate(() => Math.round(performance.now()));
  await page.waitForLoadState("networkidle");
  const policy = response.headers()["content-security-policy"];
  assert.match(policy, /script-src 'self';/);
  assert.doesNotMatch(policy, /unsafe-eval|script-src[^;]*unsafe-inline|https?:/);
  assert.ok(!asked.includes("/graphql"), "nothing is asked of the API");
  const total = await bytes();
  t.diagnostic(`first load: ${total} bytes compressed in ${asked.length} requests, usable after ${interactive} ms`);
  assert.ok(total > 10_000 && total < MOST_BYTES_AT_FIRST, `${total} bytes`);
});

test("with GraphiQL and its editor, everything fetched stays small", async (t) => {
  const page = await browser.newPage();
  const bytes = meter(page);
  await signIn(page, `${server.url}/#/explore`, "analyst");
  const started = Date.now();
  await enter(page, "analyst");
  await page.locator(".graphiql-query-editor .view-line").first().waitFor();
  const interactive = Date.now() - started;
  await page.waitForLoadState("networkidle");
  const total = await bytes();
  t.diagnostic(`with GraphiQL: ${total} bytes compressed, the editor ${interactive} ms after signing in`);
  assert.ok(total < MOST_BYTES_WITH_EDITOR, `${total} bytes`);
});

test("a wrong password is refused in plain words", async () => {
  const page = await browser.newPage();
  await signIn(page, server.url, "analyst", { password: "not it" });
  await page.getByRole("alert").getByText("The user name or the password is not right.").waitFor();
  assert.equal(await page.getByLabel("Password").inputValue(), "");
  assert.ok(await page.getByLabel("Password").evaluate((field) => field === document.activeElement));
});

test("a server that is away is named as such", async () => {
  const page = await browser.newPage();
  await page.route("**/graphql", (route) => route.abort());
  await signIn(page, server.url, "analyst");
  await page.getByText("The server cannot be reached.").waitFor();
});

test("whoever signs in is shown with the role, and a reload asks again", async () => {
  const page = await browser.newPage();
  await signIn(page, server.url, "analyst");
  await enter(page, "analyst");
  const bar = page.getByRole("banner");
  await bar.getByText("Signed in as analyst").waitFor();
  assert.equal(await bar.locator(".role").textContent(), "analyst");
  assert.equal(await page.evaluate(() => sessionStorage.length), 0);
  await page.reload();
  await page.getByRole("button", { name: "Sign in" }).waitFor();
});

test("signed in for this tab, a reload keeps the session, and signing out ends it", async () => {
  const page = await browser.newPage();
  await signIn(page, server.url, "analyst", { keep: true });
  await enter(page, "analyst");
  await page.reload();
  await page.getByRole("heading", { name: "Overview" }).waitFor();
  await page.getByRole("button", { name: "Sign out" }).click();
  await page.getByRole("button", { name: "Sign in" }).waitFor();
  assert.equal(await page.evaluate(() => sessionStorage.length), 0);
  await page.reload();
  await page.getByRole("button", { name: "Sign in" }).waitFor();
});

test("every request carries the token, and no URL, history or storage does", async () => {
  const page = await browser.newPage();
  const tokens = new Set();
  const urls = [];
  page.on("request", (request) => {
    urls.push(request.url());
    if (request.url().endsWith("/graphql")) tokens.add(request.headers().authorization);
  });
  await signIn(page, server.url, "analyst");
  await enter(page, "analyst");
  await page.getByText("Live tail").waitFor();
  tokens.delete(undefined); // the sign-in itself
  assert.ok(tokens.size >= 1 && [...tokens].every((token) => /^Bearer eyJ/.test(token)));
  await page.getByRole("link", { name: "Explore" }).click();
  await page.locator(".graphiql-query-editor .view-line").first().waitFor();
  const jwt = [...tokens].at(-1).replace("Bearer ", "");
  const kept = await page.evaluate(() => JSON.stringify({ ...localStorage }) + JSON.stringify({ ...sessionStorage }));
  assert.ok(!kept.includes(jwt) && !/eyJ[\w-]+\./.test(kept));
  assert.ok(urls.every((url) => !url.includes("eyJ")));
});

test("a token that the server no longer takes ends the session, or is renewed without a word", async () => {
  const page = await browser.newPage();
  await signIn(page, `${server.url}/#/explore`, "analyst");
  await enter(page, "analyst");
  await page.locator(".graphiql-query-editor .view-line").first().waitFor();
  await page.waitForLoadState("networkidle");
  let renewed = false;
  let broken = true;
  await page.route("**/graphql", async (route) => {
    const headers = route.request().headers();
    renewed ||= (route.request().postData() ?? "").includes("mutation Renew");
    if (broken && headers.authorization) headers.authorization = "Bearer expired";
    broken &&= renewed === false;
    return route.continue({ headers });
  });
  await page.getByRole("button", { name: /^Execute/ }).click();
  const over = page.getByText("Your session has ended.");
  const answer = page.locator(".result-bar .state");
  await over.or(answer).first().waitFor();
  if (!renewed) return assert.ok(await over.isVisible());
  assert.equal(await answer.textContent(), "ResultOK");
});

test("a session that cannot be renewed ends when its time is over", async () => {
  const page = await browser.newPage();
  await page.clock.install();
  await page.route("**/graphql", (route) => {
    const renews = (route.request().postData() ?? "").includes("mutation Renew");
    if (!renews) return route.continue();
    const errors = [{ message: "no", extensions: { code: "UNAUTHENTICATED" } }];
    return route.fulfill({ status: 200, contentType: "application/json", body: JSON.stringify({ data: null, errors }) });
  });
  await signIn(page, server.url, "analyst");
  await enter(page, "analyst");
  await page.getByText("Live tail").waitFor();
  await page.clock.fastForward("16:00");
  await page.getByText("Your session has ended.").waitFor();
});

test("the session is renewed before its time is over, without a word", async () => {
  const page = await browser.newPage();
  await page.clock.install();
  await signIn(page, server.url, "analyst");
  await enter(page, "analyst");
  await page.getByText("Live tail").waitFor();
  const renewal = page.waitForResponse((answer) => (answer.request().postData() ?? "").includes("mutation Renew"));
  await page.clock.fastForward("14:10");
  const { data } = await (await renewal).json();
  const next = page.waitForRequest((request) => request.headers().authorization === `Bearer ${data.refreshToken.accessToken}`);
  await page.clock.fastForward("00:40");
  await next;
  assert.ok(await page.getByRole("heading", { name: "Overview" }).isVisible());
});

test("a clock that is hours off does not end the session", async () => {
  const page = await browser.newPage();
  await page.clock.install({ time: Date.now() + 5 * 3_600_000 });
  let renewals = 0;
  page.on("request", (request) => (renewals += (request.postData() ?? "").includes("mutation Renew") ? 1 : 0));
  await signIn(page, server.url, "analyst");
  await enter(page, "analyst");
  await page.clock.fastForward("01:00");
  await page.getByText("Live tail").waitFor();
  assert.equal(renewals, 0);
});

test("the page for a new password sends it, tells a refusal, and goes on with the same login", async () => {
  const page = await browser.newPage();
  const answers = [
    { data: null, errors: [{ message: "the password is too short", extensions: { code: "BAD_USER_INPUT" } }] },
    { data: { changePassword: { user: { id: "1" } } } },
  ];
  await page.route("**/graphql", async (route) => {
    const text = route.request().postData() ?? "";
    const fulfill = (body) => route.fulfill({ contentType: "application/json", body: JSON.stringify(body) });
    if (text.includes("mutation ChangePassword")) return fulfill(answers.shift());
    if (!text.includes("mutation SignIn")) return route.continue();
    // The server's own password stays, so that other tests go on.
    const body = await (await route.fetch()).json();
    body.data.login.passwordChangeRequired = true;
    // As after a reset: another password than the one that default accounts are made with.
    body.data.login.user.username = "nora";
    return fulfill(body);
  });
  await signIn(page, server.url, "viewer", { password: "viewer" });
  const choose = async (password) => {
    await page.getByLabel("Current password").fill("viewer");
    await page.getByLabel("New password", { exact: true }).fill(password);
    await page.getByLabel("New password again").fill(password);
    await page.getByRole("button", { name: "Change the password" }).click();
  };
  await page.getByText("nora has a password that an administrator chose.").waitFor();
  assert.equal(await page.getByText("everybody knows").count(), 0);
  await choose("short");
  await page.getByRole("alert").getByText("The password is too short.").waitFor();
  await choose("five unrelated words");
  await page.getByRole("heading", { name: "Your activity" }).waitFor();
});

test("a password that everybody knows has to be changed", async () => {
  const page = await browser.newPage();
  await signIn(page, server.url, "admin");
  await page.getByRole("heading", { name: "Choose a password" }).waitFor();
  await page.getByText("admin still has the password that the account was made with, which everybody knows.").waitFor();
  await page.getByLabel("Current password").fill("admin");
  await page.getByLabel("New password", { exact: true }).fill("one thing and");
  await page.getByLabel("New password again").fill("another thing");
  await page.getByRole("button", { name: "Change the password" }).click();
  await page.getByText("The two new passwords are not the same.").waitFor();
  await enter(page, "admin");
  await page.getByText("Signed in as admin").waitFor();
});

test("a server that asks for another password first is obeyed in the middle of a session", async () => {
  const page = await browser.newPage();
  await signIn(page, server.url, "analyst");
  await enter(page, "analyst");
  await page.locator(".legend li").first().waitFor();
  await page.route("**/graphql", (route) => {
    const extensions = { code: "FORBIDDEN", reason: "PASSWORD_CHANGE_REQUIRED" };
    const errors = [{ message: "change the password first", extensions }];
    return route.fulfill({ contentType: "application/json", body: JSON.stringify({ data: null, errors }) });
  });
  await page.getByRole("button", { name: "Refresh" }).click();
  await page.getByRole("heading", { name: "Choose a password" }).waitFor();
  await page.getByText("analyst has a password that an administrator chose.").waitFor();
});

test("a viewer sees the own activity, and why there is no more", async () => {
  const page = await browser.newPage();
  await signIn(page, server.url, "viewer");
  await enter(page, "viewer");
  await page.getByRole("heading", { name: "Your activity" }).waitFor();
  await page.getByText("needs the role analyst").waitFor();
  await page.locator(".tail tbody tr").first().waitFor();
  await page.goto(`${server.url}/#/explore`);
  const forbidden = page.getByRole("button", { name: /Failed logins in the last 24 hours/ });
  await forbidden.waitFor();
  assert.ok(await forbidden.isDisabled());
});

test("nothing was asked of another host, and no page complained", () => {
  assert.deepEqual(browser.strangers, []);
  assert.deepEqual(browser.complaints, []);
});
