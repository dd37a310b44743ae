// Compiles client documents against the schema with relay-compiler and with graphql-codegen: node check.mjs SCHEMA
import { execFileSync } from "node:child_process";
import { cpSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { codegen } from "@graphql-codegen/core";
import * as typescript from "@graphql-codegen/typescript";
import * as operations from "@graphql-codegen/typescript-operations";
import { buildSchema, parse } from "graphql";

const schemaFile = process.argv[2];
const schema = readFileSync(schemaFile, "utf8");
const work = mkdtempSync(join(tmpdir(), "guardianeye-clients-"));
try {
  relay();
  await types();
} finally {
  rmSync(work, { recursive: true, force: true });
}

/** Every operation and fragment becomes a file of its own; what the schema does not fit is an error. */
function relay() {
  cpSync("documents", join(work, "documents"), { recursive: true });
  writeFileSync(join(work, "schema.graphql"), schema);
  const config = {
    src: "documents",
    schema: "schema.graphql",
    language: "typescript",
    eagerEsModules: true,
    customScalarTypes: { DateTime: "string", JSON: "unknown" },
  };
  writeFileSync(join(work, "relay.config.json"), JSON.stringify(config));
  writeFileSync(join(work, "package.json"), "{}");
  const compiler = createRequire(import.meta.url)("relay-compiler");
  execFileSync(compiler, ["--repersist", "relay.config.json"], { cwd: work, stdio: "inherit" });
  const made = readdirSync(join(work, "documents", "__generated__")).sort();
  const wanted = [
    "queriesAuditLogsQuery", "queriesLoginMutation", "queriesNodeQuery", "queriesSessionsPageQuery",
    "queriesUserListQuery", "queriesUsersPageQuery", "queries_sessions", "queries_users",
  ].map((name) => `${name}.graphql.ts`).sort();
  if (JSON.stringify(made) !== JSON.stringify(wanted)) throw new Error(`relay-compiler made ${made}`);
  console.log(`relay-compiler: ${made.length} artifacts`);
}

/** The types of the whole schema, and of operations. The words that only Relay knows are its compiler's business. */
async function types() {
  const document = parse(readFileSync("operations.graphql", "utf8"));
  const config = { scalars: { DateTime: "string", JSON: "unknown" }, strictScalars: true };
  const text = await codegen({
    filename: "types.ts",
    schema: parse(schema),
    schemaAst: buildSchema(schema),
    documents: [{ location: "operations.graphql", document }],
    config,
    plugins: [{ typescript: {} }, { operations: {} }],
    pluginMap: { typescript, operations },
  });
  for (const wanted of ["export type AuditLogFilter = {", "export type IncidentsQuery = ", "export type LoginMutation = "]) {
    if (!text.includes(wanted)) throw new Error(`graphql-codegen made nothing like ${wanted}`);
  }
  console.log(`graphql-codegen: ${text.length} characters of TypeScript`);
}
