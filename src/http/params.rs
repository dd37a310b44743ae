//! The parameters of a GraphQL request, from a POST's body or a GET's URL, and nothing that the specification forbids.

use std::sync::Arc;

use async_graphql::Variables;
use serde::Deserialize;
use serde_json::Value;

use crate::{
    error::{Error, ErrorCode, Result},
    graphql::{self, DocumentHash, PersistedQueries},
    json,
};

/// What is asked.
#[derive(Debug)]
pub struct Params {
    pub document: Asked,
    pub operation_name: Option<String>,
    pub variables: Variables,
}

/// The document, or what it is known by.
#[derive(Debug)]
pub enum Asked {
    /// To be kept under the hash, if there is one.
    Text(Arc<str>, Option<DocumentHash>),
    Known(DocumentHash),
}

impl Asked {
    pub fn text(&self, persisted: &PersistedQueries) -> Result<Arc<str>> {
        match self {
            Self::Text(text, _) => Ok(Arc::clone(text)),
            Self::Known(hash) => persisted.get(*hash),
        }
    }

    /// By what the document is to be kept.
    pub fn hash(&self) -> Option<DocumentHash> {
        match self {
            Self::Text(_, hash) => *hash,
            Self::Known(_) => None,
        }
    }

    fn new(text: Option<String>, extensions: &Value) -> Result<Self> {
        match (text, persisted_query(extensions)?) {
            (Some(text), Some(hash)) if !hash.matches(&text) => {
                Err(Error::bad_input("extensions", "sha256Hash is not the SHA-256 of the query"))
            }
            (Some(text), hash) => Ok(Self::Text(text.into(), hash)),
            (None, Some(hash)) => Ok(Self::Known(hash)),
            (None, None) => Err(Error::bad_input("query", "the query is missing")),
        }
    }
}

/// The parameters of a GET, each as text.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct UrlParams {
    query: Option<String>,
    operation_name: Option<String>,
    variables: Option<String>,
    extensions: Option<String>,
}

impl Params {
    pub fn of_url(url: UrlParams) -> Result<Self> {
        let read = |field, text: Option<String>| match text.as_deref() {
            None | Some("") => Ok(Value::Null),
            Some(text) => json::read(field, text.as_bytes()),
        };
        let extensions = read("extensions", url.extensions)?;
        let variables = read("variables", url.variables)?;
        Ok(Self {
            document: Asked::new(url.query, &extensions)?,
            operation_name: url.operation_name.filter(|name| !name.is_empty()),
            variables: variables_of(variables)?,
        })
    }

    pub fn of_body(body: &[u8]) -> Result<Self> {
        let mut body = match json::read_body(body)? {
            Value::Object(body) => body,
            Value::Array(_) => {
                return Err(Error::new(ErrorCode::BadUserInput, "batches are not taken: send one request"));
            }
            _ => return Err(Error::new(ErrorCode::BadUserInput, "the body must be a JSON object")),
        };
        let extensions = body.remove("extensions").unwrap_or_default();
        let query = match body.remove("query") {
            Some(Value::String(query)) => Some(query),
            // Some clients write null for the text that they leave out.
            Some(Value::Null) if extensions.get("persistedQuery").is_some() => None,
            None => None,
            Some(_) => return Err(Error::bad_input("query", "the query must be a string")),
        };
        Ok(Self {
            document: Asked::new(query, &extensions)?,
            operation_name: match body.remove("operationName") {
                None | Some(Value::Null) => None,
                Some(Value::String(name)) => Some(name).filter(|name| !name.is_empty()),
                Some(_) => return Err(Error::bad_input("operationName", "the operation name must be a string")),
            },
            variables: variables_of(body.remove("variables").unwrap_or_default())?,
        })
    }
}

/// `{"persistedQuery": {"version": 1, "sha256Hash": ".."}}`; other extensions are nothing to us.
fn persisted_query(extensions: &Value) -> Result<Option<DocumentHash>> {
    let refused = |message| Err(Error::bad_input("extensions", message));
    match extensions {
        Value::Null => return Ok(None),
        Value::Object(_) => {}
        _ => return refused("the extensions must be an object"),
    }
    let persisted = match extensions.get("persistedQuery") {
        None | Some(Value::Null) => return Ok(None),
        Some(persisted) => persisted,
    };
    if persisted.get("version") != Some(&Value::from(1)) {
        return refused("persistedQuery must have the version 1");
    }
    match persisted.get("sha256Hash").and_then(Value::as_str).and_then(DocumentHash::parse) {
        Some(hash) => Ok(Some(hash)),
        None => refused("the sha256Hash of persistedQuery must be 64 hexadecimal digits"),
    }
}

fn variables_of(variables: Value) -> Result<Variables> {
    match variables {
        Value::Null => Ok(Variables::default()),
        Value::Object(fields) => Ok(graphql::variables(fields)),
        _ => Err(Error::bad_input("variables", "the variables must be an object")),
    }
}
