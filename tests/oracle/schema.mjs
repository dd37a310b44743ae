// Asks a GraphQL endpoint for its schema, as clients' tools do, and compares it with schema.graphql: node schema.mjs URL
import { readFileSync } from 'node:fs';
import {
  buildClientSchema, buildSchema, findBreakingChanges, findDangerousChanges, getIntrospectionQuery, isScalarType,
  isSpecifiedScalarType, lexicographicSortSchema, printSchema,
} from 'graphql';

const [url] = process.argv.slice(2);
if (!url) {
  console.error('usage: node schema.mjs URL');
  process.exit(2);
}

async function post(query) {
  const headers = { accept: 'application/json', 'content-type': 'application/json' };
  const response = await fetch(url, { method: 'POST', headers, body: JSON.stringify({ query }) });
  return response.json();
}

function check(condition, message) {
  if (!condition) throw new Error(message);
}

// GraphiQL, Relay, graphql-codegen and graphql-inspector send what graphql-js makes, with various options.
const OPTIONS = ['descriptions', 'specifiedByUrl', 'directiveIsRepeatable', 'schemaDescription', 'inputValueDeprecation', 'oneOf'];
const every = (value) => Object.fromEntries(OPTIONS.map((option) => [option, value]));
const variants = [{}, every(false), every(true), ...OPTIONS.map((option) => ({ ...every(false), [option]: true }))];
const queries = variants.map((options) => getIntrospectionQuery(options));

// Apollo's rover sends this, as far as it differs: fewer fields, wrappers seven deep.
const ofType = (depth) => (depth === 0 ? '' : `ofType { kind name ${ofType(depth - 1)} }`);
queries.push(`query GraphIntrospectQuery { __schema {
  queryType { name } mutationType { name } subscriptionType { name } types { ...FullType }
  directives { name description locations args { ...InputValue } } } }
fragment FullType on __Type { kind name description
  fields(includeDeprecated: true) { name description args { ...InputValue } type { ...TypeRef } isDeprecated deprecationReason }
  inputFields { ...InputValue } interfaces { ...TypeRef }
  enumValues(includeDeprecated: true) { name description isDeprecated deprecationReason } possibleTypes { ...TypeRef } }
fragment InputValue on __InputValue { name description type { ...TypeRef } defaultValue }
fragment TypeRef on __Type { kind name ${ofType(7)} }`);
// A person who looks at one type.
queries.push('{ __type(name: "User") { name fields { name args { name type { name ofType { name } } } type { name enumValues { name } } } } }');

const answers = [];
for (const query of queries) {
  const answer = await post(query);
  check(!answer.errors, `${JSON.stringify(answer.errors)} to ${query}`);
  answers.push(answer.data);
}

// What no tool sends.
const nested = [
  '{ __schema { types { fields { type { fields { name } } } } } }',
  '{ __schema { types { fields { type { fields { type { fields { type { name } } } } } } } } }',
  '{ __type(name: "Query") { fields { args { type { inputFields { name } } } } } }',
  '{ __type(name: "Node") { possibleTypes { interfaces { name } } } }',
  '{ __schema { types { ...T } } } fragment T on __Type { fields { type { ofType { ... { possibleTypes { name } } } } } }',
];
for (const query of nested) {
  const { errors } = await post(query);
  check(errors?.length === 1 && errors[0].extensions.code === 'QUERY_TOO_COMPLEX', `${JSON.stringify(errors)} to ${query}`);
}

const written = buildSchema(readFileSync(new URL('../../schema.graphql', import.meta.url), 'utf8'));
// The description of the schema itself is the library's, says nothing of this schema, and its own parser takes none.
const live = buildClientSchema({ __schema: { ...answers[2].__schema, description: null } });
for (const [from, to] of [[written, live], [live, written]]) {
  const changes = [...findBreakingChanges(from, to), ...findDangerousChanges(from, to)];
  check(changes.length === 0, JSON.stringify(changes, null, 2));
}
const lines = (schema) => printSchema(lexicographicSortSchema(schema)).split('\n');
const [expected, found] = [lines(written), lines(live)];
const at = expected.findIndex((line, index) => line !== found[index]);
check(at < 0 && expected.length === found.length,
  `line ${at}: schema.graphql has\n${expected.slice(Math.max(0, at - 3), at + 9).join('\n')}\nintrospection\n${found.slice(Math.max(0, at - 3), at + 9).join('\n')}`);
for (const type of Object.values(live.getTypeMap()).filter((type) => isScalarType(type) && !isSpecifiedScalarType(type))) {
  check(type.specifiedByURL, `${type.name} does not say where it is specified`);
}
console.log(`${queries.length} introspection queries pass, ${nested.length} nested ones are refused, and the schema is schema.graphql`);
