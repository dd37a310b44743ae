// What is taken out of texts that the console keeps or shares. No browser and no server: the one function, on tables.
import assert from "node:assert/strict";
import { before, test } from "node:test";
import { resolve } from "node:path";
import { runnerImport } from "vite";

let withoutSecrets;
before(async () => {
  const file = resolve(import.meta.dirname, "../src/explore/secrets.ts");
  ({ withoutSecrets } = (await runnerImport(file, { logLevel: "silent" })).module);
});

const API_TOKEN = "gey_4vXz81LmQpR7sT2uVwXyZa3bC5dE6fG7hJ8kL9mN0pQ1rS";
const REFRESH_TOKEN = "ger_Zm9vYmFyYmF6cXV4Zm9vYmFyYmF6cXV4Zm9vYmFyYm-_";
const JWT = "eyJhbGciOiJFZERTQSJ9.eyJzdWIiOiIwMTkifQ.c2lnbmF0dXJl-_c2lnbmF0dXJl";
const SECRETS = [API_TOKEN, REFRESH_TOKEN, JWT, "geheim", "77777777"];

/** A text inside a JSON string, so many times. */
const escaped = (text, times) => (times === 0 ? text : escaped(JSON.stringify({ kept: text }), times - 1));

const WITH_SECRETS = {
  "a password argument": 'mutation { login(input: { username: "nora", password: "geheim" }) { expiresAt } }',
  "a password with escaped quotes": String.raw`mutation { login(input: { password: "ge\"x\" geheim" }) { expiresAt } }`,
  "a password that ends in a backslash": String.raw`mutation { login(input: { password: "geheim\\" }) { expiresAt } }`,
  "a password in a block string": 'mutation { login(input: { password: """ge "x" geheim""" }) { expiresAt } }',
  "a password in a block string with quotes": String.raw`{ a(newPassword: """ge\"""heim geheim""") }`,
  "a password that was not typed to its end": 'mutation { login(input: { password: "geheim',
  "a block string that was not typed to its end": 'mutation { login(input: { password: """\ngeheim',
  "a password behind a comment": 'mutation { a(password: # the old one, "quoted\n "geheim") }',
  "a password in a comment": '{ me { id } } # password: "geheim"',
  "a default of a variable": 'query ($newPassword: String! = "geheim") { me { id } }',
  "a default of a list": 'query ($passwords: [String!]! = ["x", "geheim"]) { me { id } }',
  "variables": '{ "input": { "currentPassword": "geheim", "newPassword" : "geheim" } }',
  "variables at any depth": '{ "a": [{ "b": { "clientSecret": { "value": ["geheim"], "x": { "y": "geheim" } } } }] }',
  "variables with comments": '{\n  // mine\n  "passphrase": "geheim", # too\n}',
  "a key with an escape": String.raw`{ "pass\u0077ord": "geheim" }`,
  "a password that is a number": '{ "password": 77777777 }',
  "keys of tokens": '{ "refreshToken": "geheim", "API_KEY": "geheim", "Authorization": "Bearer geheim" }',
  "tokens under any name": `{ "a": "${API_TOKEN}", "b": ["x ${REFRESH_TOKEN} y"], "c": "Bearer ${JWT}" }`,
  "tokens in arguments": `{ node(id: "${API_TOKEN}") { id } user(id: """${JWT}""") { id } }`,
  "tokens in comments and as names": `# ${API_TOKEN}\n{ ${REFRESH_TOKEN} { id } }`,
  "a token behind an escaped line break": String.raw`{ "a": "x\n${API_TOKEN}" }`,
};

test("secrets are removed from plain text and from text inside strings", () => {
  for (const [what, text] of Object.entries(WITH_SECRETS)) {
    for (let times = 0; times <= 4; times += 1) {
      const kept = withoutSecrets(escaped(text, times));
      for (const secret of SECRETS) assert.ok(!kept.includes(secret), `${what}, ${times} times escaped: ${kept}`);
      if (times > 0) assert.doesNotThrow(() => JSON.parse(kept), `${what}: ${kept}`);
      assert.equal(withoutSecrets(kept), kept, `${what}: a second time changes nothing`);
    }
  }
});

test("everything else stays as it was typed", () => {
  assert.equal(
    withoutSecrets('mutation {\n  login(input: { username: "nora", password: "geheim" }) { expiresAt }\n}'),
    'mutation {\n  login(input: { username: "nora", password: "" }) { expiresAt }\n}',
  );
  assert.equal(withoutSecrets('{ "password": "geheim", "username": "nora" }'), '{ "password": "", "username": "nora" }');
  for (const text of [
    "",
    'query Q($password: String!, $first: Int) { me { id(x: "kept") } }',
    'query Q($password: String! $name: String) { user(name: $name, note: "kept") { id } }',
    'mutation { token: createApiToken(input: { name: "nightly", scopes: [READ] }) { token apiToken { id } } }',
    'mutation { password: changePassword(input: $in) { user { name(format: "kept") } } }',
    '{ "secrets": [], "a": "kept", "passwords": {}, "b": "kept" }',
    '{\n  "maxTokens": 4000,\n  "tokens": null, // kept\n  "a": "\\u00e4 \\" kept"\n}',
    '{ sessions(filter: { title: { contains: "my password is" } }) { totalCount } } # "kept',
    'the password: kept as it is no string',
    String.raw`{ a(re: "^\d+\.geheimnis$") }`,
  ]) {
    assert.equal(withoutSecrets(text), text);
    assert.equal(withoutSecrets(escaped(text, 3)), escaped(text, 3));
  }
});

test("a variable that is used as a password is one, whatever its name", () => {
  const query = "mutation M($p: String!, $q: [String], $name: String!) { login(input: { username: $name, password: $p, tokens: [$q] }) { expiresAt } }";
  const variables = '{ "name": "nora", "p": "geheim", "q": ["geheim"] }';
  assert.equal(withoutSecrets(variables, query), '{ "name": "nora", "p": "", "q": [""] }');
  assert.equal(withoutSecrets(variables), variables, "by itself nothing says so");
  const state = JSON.stringify({ tabs: [{ query, variables }] });
  const [tab] = JSON.parse(withoutSecrets(state)).tabs;
  assert.equal(tab.query, query);
  assert.deepEqual(JSON.parse(tab.variables), { name: "nora", p: "", q: [""] });
});

test("hostile text is read to its end", () => {
  for (const piece of ['"', "\\", '"\\', '"""', "[", 'password:"', "eyJ", "#", 'a"']) {
    const text = piece.repeat(5_000);
    assert.equal(withoutSecrets(`${text} ${API_TOKEN}`).includes(API_TOKEN), false, piece);
  }
});
