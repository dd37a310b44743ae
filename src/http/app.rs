//! The state of the handlers.

use std::sync::Arc;

use crate::{config::HttpSettings, graphql::GraphqlApi, services::Services};

/// The state of the handlers.
#[derive(Clone, Debug)]
pub struct App {
    pub api: GraphqlApi,
    pub services: Arc<Services>,
    pub http: Arc<HttpSettings>,
}
