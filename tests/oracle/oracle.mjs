// Sends documents to a GraphQL endpoint and to graphql-js over the same data, and compares the answers: node oracle.mjs
// URL [DOCUMENTS] [SEED]. `data` has to be equal to the byte; every error has to have its path and locations.
import { readFileSync } from 'node:fs';
import { GraphQLError, buildSchema, execute, parse, validate } from 'graphql';
import { Oracle, record } from './data.mjs';
import { Generator } from './generate.mjs';
import { CASES, INVALID, KNOWN, LAST } from './cases.mjs';

const [url, count = '600', seed = '1'] = process.argv.slice(2);
if (!url) {
  console.error('usage: node oracle.mjs URL [DOCUMENTS] [SEED]');
  process.exit(2);
}

const STRICT = 'application/graphql-response+json';
const LENIENT = 'application/json';

async function post(params, token, accept = STRICT) {
  const headers = { accept, 'content-type': 'application/json', authorization: `Bearer ${token}` };
  if (!token) delete headers.authorization;
  const response = await fetch(url, { method: 'POST', headers, body: JSON.stringify(params) });
  const text = await response.text();
  return { status: response.status, text, body: JSON.parse(text) };
}

async function dataOf(params, token) {
  const { text, body } = await post(params, token);
  if (body.errors) throw new Error(text);
  return body.data;
}

const login = 'mutation { login(input: {username: "admin", password: "admin"}) { accessToken } }';
const token = (await dataOf({ query: login })).login.accessToken;
const oracle = new Oracle(await record((query) => dataOf({ query }, token)));

const schema = buildSchema(readFileSync(new URL('../../schema.graphql', import.meta.url), 'utf8'));
schema.getType('DateTime').parseValue = (value) => {
  if (typeof value !== 'string' || Number.isNaN(Date.parse(value))) throw new GraphQLError('not a time');
  return value;
};
schema.getType('DateTime').parseLiteral = (node) => schema.getType('DateTime').parseValue(node.value);

// What the specification makes of a request, and at which step it ended.
function expected({ query, variables, operationName }) {
  const document = parse(query);
  const errors = validate(schema, document);
  if (errors.length > 0) return { step: 'validation', errors };
  const { fieldResolver } = oracle;
  const typeResolver = (row) => row.__typename;
  const variableValues = variables ?? {};
  const result = execute({ schema, document, variableValues, operationName, fieldResolver, typeResolver });
  const step = result.data === undefined ? 'request' : result.errors ? 'field' : 'data';
  return { step, ...result };
}

const place = ({ path, locations }) => JSON.stringify({ path, locations });

// The order of errors is left to the server by the specification; it depends on which field is ready first.
function places(errors) {
  return (errors ?? []).map(place).sort().join('\n');
}

async function differences(params) {
  const wanted = expected(params);
  const found = await post(params, token);
  const different = [];
  const differ = (what, want, have) => {
    if (want !== have) different.push(`${what}\n    graphql-js: ${want}\n    server:     ${have}`);
  };
  const refused = !('data' in wanted);
  differ('presence of data', !refused, 'data' in found.body);
  differ('status', refused ? 400 : 200, found.status);
  if (!refused) {
    const data = JSON.stringify(wanted.data);
    differ('data', data, JSON.stringify(found.body.data));
    // Numbers in JSON values are handed out as they were stored, which a parser does not keep.
    if (!/\b(details|context)\b/.test(params.query)) {
      differ('data as written', true, found.text.includes(`"data":${data}`));
    }
  } else {
    const lenient = await post(params, token, LENIENT);
    differ('status for application/json', 200, lenient.status);
    differ('presence of data for application/json', false, 'data' in lenient.body);
  }
  if (wanted.step === 'request') {
    const codes = new Set(found.body.errors?.map((error) => error.extensions?.code));
    differ('code', 'BAD_USER_INPUT', [...codes].join());
  }
  if (wanted.step === 'validation') {
    // Which rule speaks first, and how often, is each validator's own; that it refuses is not.
    differ('errors of validation', true, found.body.errors?.length > 0);
  } else {
    differ('number of errors', wanted.errors?.length ?? 0, found.body.errors?.length ?? 0);
    differ('paths and locations', places(wanted.errors), places(found.body.errors));
  }
  if (found.body.errors?.some((error) => typeof error.extensions?.code !== 'string')) different.push('an error without code');
  const said = found.body.errors?.map((error) => error.message) ?? [];
  return { step: wanted.step, different, said };
}

const generator = new Generator(schema, oracle.data, Number(seed));
const generated = Array.from({ length: Number(count) }, () => generator.document());
const requests = [...CASES(oracle.data), ...INVALID, ...generated, ...LAST];

const steps = { data: 0, field: 0, request: 0, validation: 0 };
const used = new Set();
let wrong = 0;
for (const params of requests) {
  const { step, different, said } = await differences(params);
  steps[step] += 1;
  for (const [feature, pattern] of Object.entries(FEATURES())) if (pattern.test(params.query)) used.add(feature);
  if (different.length > 0) {
    wrong += 1;
    const errors = expected(params).errors?.map((error) => error.message) ?? [];
    console.log(`DIFFERENT ${JSON.stringify(params)}\n  graphql-js says: ${errors.join('; ')}\n  server says: ${said.join('; ')}\n  ${different.join('\n  ')}\n`);
  }
}

for (const params of KNOWN) {
  if ((await differences(params)).different.length > 0) continue;
  wrong += 1;
  console.log(`NO LONGER DIFFERENT ${JSON.stringify(params)}\n`);
}

function FEATURES() {
  return {
    skip: /@skip/, include: /@include/, both: /@skip[^@]*@include|@include[^@]*@skip/, fragment: /fragment /, inline: /\.\.\. (on|\{|@)/,
    interface: /node\(|nodes\(/, variable: /\$/, default: /\$\w+: [^,)]* = /, alias: /\w: \w+/, operations: /query \w+[^]*query \w+/,
  };
}

console.log(
  `oracle: ${requests.length} documents (${generated.length} generated, seed ${seed}); ${steps.data} with data alone, ` +
    `${steps.field} with errors of fields, ${steps.request} refused for their request, ${steps.validation} by validation; ` +
    `${wrong} differ from graphql-js, besides the ${KNOWN.length} known ones`,
);
const missing = Object.keys(FEATURES()).filter((feature) => !used.has(feature));
if (missing.length > 0) console.log(`never generated: ${missing.join(', ')}`);
// A comparison in which some step never occurred would prove little.
process.exit(wrong === 0 && missing.length === 0 && Object.values(steps).every((times) => times > 10) ? 0 : 1);
