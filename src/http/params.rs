//! The parameters of a GraphQL request, from the body of a POST or the URL of a GET.

use async_graphql::Variables;
use serde::Deserialize;
use serde_json::Value;

use crate::{
    error::{Error, ErrorCode, Result},
    graphql::{self, DocumentHash, DocumentSource},
    json,
};

/// The parameters of a GraphQL request.
#[derive(Debug)]
pub struct RequestParams {
    pub document: DocumentSource,
    pub operation_name: Option<String>,
    pub variables: Variables,
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

impl RequestParams {
    pub fn from_url(url: UrlParams) -> Result<Self> {
        let read = |field, text: Option<String>| match text.as_deref() {
            None | Some("") => Ok(Value::Null),
            Some(text) => json::read(field, text.as_bytes()),
        };
        let extensions = read("extensions", url.extensions)?;
        let variables = read("variables", url.variables)?;
        Ok(Self {
            document: document_source(url.query, &extensions)?,
            operation_name: url.operation_name.filter(|name| !name.is_empty()),
            variables: variables_of(variables)?,
        })
    }

    pub fn from_body(body: &[u8]) -> Result<Self> {
        let mut body = match json::read_body(body)? {
            Value::Object(body) => body,
            Value::Array(_) => {
                return Err(Error::new(ErrorCode::BadUserInput, "batching is not supported: send one request"));
            }
            _ => return Err(Error::new(ErrorCode::BadUserInput, "the body must be a JSON object")),
        };
        let extensions = body.remove("extensions").unwrap_or_default();
        let query = match body.remove("query") {
            Some(Value::String(query)) => Some(query),
            // Some clients send null with a persisted query.
            Some(Value::Null) if extensions.get("persistedQuery").is_some() => None,
            None => None,
            Some(_) => return Err(Error::bad_input("query", "the query must be a string")),
        };
        Ok(Self {
            document: document_source(query, &extensions)?,
            operation_name: match body.remove("operationName") {
                None | Some(Value::Null) => None,
                Some(Value::String(name)) => Some(name).filter(|name| !name.is_empty()),
                Some(_) => return Err(Error::bad_input("operationName", "the operation name must be a string")),
            },
            variables: variables_of(body.remove("variables").unwrap_or_default())?,
        })
    }
}

fn document_source(text: Option<String>, extensions: &Value) -> Result<DocumentSource> {
    match (text, persisted_query(extensions)?) {
        (Some(text), Some(hash)) if !hash.matches(&text) => {
            Err(Error::bad_input("extensions", "sha256Hash is not the SHA-256 of the query"))
        }
        (Some(text), hash) => Ok(DocumentSource::Inline(text.into(), hash)),
        (None, Some(hash)) => Ok(DocumentSource::Persisted(hash)),
        (None, None) => Err(Error::bad_input("query", "the query is missing")),
    }
}

/// Parses `{"persistedQuery": {"version": 1, "sha256Hash": ".."}}`; ignores other extensions.
fn persisted_query(extensions: &Value) -> Result<Option<DocumentHash>> {
    let invalid = |message| Err(Error::bad_input("extensions", message));
    match extensions {
        Value::Null => return Ok(None),
        Value::Object(_) => {}
        _ => return invalid("the extensions must be an object"),
    }
    let persisted = match extensions.get("persistedQuery") {
        None | Some(Value::Null) => return Ok(None),
        Some(persisted) => persisted,
    };
    if persisted.get("version") != Some(&Value::from(1)) {
        return invalid("persistedQuery must have the version 1");
    }
    match persisted.get("sha256Hash").and_then(Value::as_str).and_then(DocumentHash::parse) {
        Some(hash) => Ok(Some(hash)),
        None => invalid("the sha256Hash of persistedQuery must be 64 hexadecimal digits"),
    }
}

fn variables_of(variables: Value) -> Result<Variables> {
    match variables {
        Value::Null => Ok(Variables::default()),
        Value::Object(fields) => Ok(graphql::variables(fields)),
        _ => Err(Error::bad_input("variables", "the variables must be an object")),
    }
}
