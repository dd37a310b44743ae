//! The integration tests: one binary, a file per subject, every story on SQLite and on PostgreSQL.

mod access;
mod access_table;
mod api_tokens;
mod attacks;
mod bad_input;
mod cli;
mod connections;
mod filters;
mod graphql_http;
mod http;
mod http_edges;
mod idempotency;
mod introspection;
mod limits;
mod login;
mod migrations;
mod nodes;
mod oracle;
mod paging;
mod schema;
mod seed;
mod statements;
mod stats;
mod support;
mod the_house;
mod timeouts;
