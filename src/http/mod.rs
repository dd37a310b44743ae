//! The HTTP layer: routes, middleware, connection timeouts and graceful shutdown. The only folder that uses axum.

mod app;
mod body;
mod client_address;
mod connection_limit;
mod console;
mod error_response;
mod forwarded_headers;
mod graphql;
mod headers;
mod health;
mod host;
mod host_check;
mod idempotency;
mod jwks;
mod media_type;
mod params;
mod request_id;
mod router;
mod serve;
mod timeouts;
mod trace;
mod transfer_rate;
mod transport_security;
mod untrusted_proxy;

pub use self::{
    app::App,
    console::is_embedded as console_is_embedded,
    request_id::RequestId,
    serve::{StopSignal, serve},
};
