// Runs every audit of the npm package graphql-http against a GraphQL endpoint: node audit.mjs URL
// Says how many passed; a warning (SHOULD, MAY) fails like an error (MUST).
import { serverAudits } from 'graphql-http';

const [url] = process.argv.slice(2);
if (!url) {
  console.error('usage: node audit.mjs URL');
  process.exit(2);
}

let passed = 0;
const audits = serverAudits({ url, fetchFn: fetch });
for (const audit of audits) {
  const result = await audit.fn();
  if (result.status === 'ok') {
    passed += 1;
  } else {
    console.log(`${result.status} ${audit.id} ${audit.name}: ${result.reason}`);
  }
}
console.log(`graphql-http: ${passed} of ${audits.length} audits passed`);
// An empty list would prove nothing.
process.exit(passed === audits.length && passed > 0 ? 0 : 1);
