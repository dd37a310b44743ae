//! The console at `/`: the files that `web/` builds, embedded in the binary and precompressed. A binary built without them
//! serves async-graphql's GraphiQL page instead, which loads its scripts from a public CDN.

use std::borrow::Cow;

use axum::{
    Extension, Router,
    body::{Body, Bytes},
    extract::Path,
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{Html, IntoResponse, Response},
    routing::get,
};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use rust_embed::{EmbeddedFile, RustEmbed};

use super::{App, RequestId, error_response};

/// Most files have precompressed copies with the suffixes `.br` and `.gz`.
#[derive(RustEmbed)]
#[folder = "web/dist"]
#[allow_missing = true]
struct Files;

/// Allows resources of this server only, and no inline scripts. Inline styles are allowed because the editor (Monaco) sets its
/// theme and line positions with them and supports neither nonces nor hashes; as no other host is reachable, a style cannot
/// exfiltrate data. The editor's icons are `data:` URLs.
const PAGE_POLICY: HeaderValue = HeaderValue::from_static(
    "default-src 'none'; script-src 'self'; worker-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; \
     font-src 'self'; connect-src 'self'; form-action 'none'; base-uri 'none'; frame-ancestors 'none'",
);

/// For scripts that run as workers: a worker has its own policy and may load scripts of this server.
const ASSET_POLICY: HeaderValue =
    HeaderValue::from_static("default-src 'none'; script-src 'self'; frame-ancestors 'none'");

/// For assets, whose names contain a hash of their content.
const IMMUTABLE: HeaderValue = HeaderValue::from_static("public, max-age=31536000, immutable");
/// The browser revalidates the stored copy by its `ETag`.
const REVALIDATE: HeaderValue = HeaderValue::from_static("no-cache");

/// Returns true if the binary was built with the console.
#[must_use]
pub fn is_embedded() -> bool {
    Files::get("index.html").is_some()
}

pub fn routes() -> Router<App> {
    Router::new().route("/", get(page)).route("/favicon.svg", get(icon)).route("/assets/{name}", get(asset))
}

async fn page(headers: HeaderMap) -> Response {
    serve("index.html", &headers, PAGE_POLICY, REVALIDATE).unwrap_or_else(|| {
        let page = async_graphql::http::GraphiQLSource::build().endpoint("/graphql").title("GuardianEye").finish();
        Html(page).into_response()
    })
}

async fn icon(id: Extension<RequestId>, headers: HeaderMap) -> Response {
    match serve("favicon.svg", &headers, ASSET_POLICY, REVALIDATE) {
        Some(response) => response,
        None => error_response::not_found(id, headers).await,
    }
}

async fn asset(Path(name): Path<String>, id: Extension<RequestId>, headers: HeaderMap) -> Response {
    match serve(&format!("assets/{name}"), &headers, ASSET_POLICY, IMMUTABLE) {
        Some(response) => response,
        None => error_response::not_found(id, headers).await,
    }
}

/// None if the file does not exist.
fn serve(path: &str, request_headers: &HeaderMap, policy: HeaderValue, cache: HeaderValue) -> Option<Response> {
    let content_type = content_type(path)?;
    let file = Files::get(path)?;
    let etag = etag(&file)?;
    let unchanged = request_headers.get(header::IF_NONE_MATCH).is_some_and(|known| matches(known, &etag));
    let (encoding, body) = match compressed(path, request_headers) {
        _ if unchanged => (None, Body::empty()),
        Some((encoding, file)) => (Some(encoding), Body::from(bytes(file))),
        None => (None, Body::from(bytes(file))),
    };
    let mut response = body.into_response();
    if unchanged {
        *response.status_mut() = StatusCode::NOT_MODIFIED;
    }
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type));
    headers.insert(header::CONTENT_SECURITY_POLICY, policy);
    headers.insert(header::CACHE_CONTROL, cache);
    headers.insert(header::VARY, HeaderValue::from_static("accept-encoding"));
    headers.insert(header::ETAG, etag);
    if let Some(encoding) = encoding {
        headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static(encoding));
    }
    Some(response)
}

/// The precompressed copy in an encoding that the client accepts.
fn compressed(path: &str, request_headers: &HeaderMap) -> Option<(&'static str, EmbeddedFile)> {
    let copies = [("br", "br"), ("gzip", "gz")];
    copies
        .into_iter()
        .filter(|(encoding, _)| accepts(request_headers, encoding))
        .find_map(|(encoding, ending)| Some((encoding, Files::get(&format!("{path}.{ending}"))?)))
}

fn accepts(request_headers: &HeaderMap, encoding: &str) -> bool {
    let values = request_headers.get_all(header::ACCEPT_ENCODING).into_iter().filter_map(|value| value.to_str().ok());
    values.flat_map(|value| value.split(',')).any(|offer| {
        let (name, weight) = offer.split_once(';').unwrap_or((offer, "q=1"));
        let weight = weight.trim().trim_start_matches("q=").parse::<f32>();
        name.trim().eq_ignore_ascii_case(encoding) && weight.is_ok_and(|weight| weight > 0.0)
    })
}

/// A weak validator, as all encodings share it.
fn etag(file: &EmbeddedFile) -> Option<HeaderValue> {
    let hash = URL_SAFE_NO_PAD.encode(&file.metadata.sha256_hash()[..12]);
    HeaderValue::from_str(&format!("W/\"{hash}\"")).ok()
}

fn matches(known: &HeaderValue, etag: &HeaderValue) -> bool {
    let tags = |value: &HeaderValue| value.to_str().map(str::to_owned).unwrap_or_default();
    let etag = tags(etag);
    tags(known).split(',').any(|tag| matches!(tag.trim(), "*") || tag.trim() == etag)
}

fn bytes(file: EmbeddedFile) -> Bytes {
    match file.data {
        Cow::Borrowed(bytes) => Bytes::from_static(bytes),
        Cow::Owned(bytes) => bytes.into(),
    }
}

/// None for files that the page does not request, such as the precompressed copies.
fn content_type(path: &str) -> Option<&'static str> {
    Some(match path.rsplit_once('.')?.1 {
        "html" => "text/html; charset=utf-8",
        "js" => "text/javascript; charset=utf-8",
        "css" => "text/css; charset=utf-8",
        "svg" => "image/svg+xml",
        "ttf" => "font/ttf",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn accept_encoding_is_parsed_with_weights() {
        for (line, brotli, gzip) in [
            ("gzip, deflate, br, zstd", true, true),
            ("gzip;q=0.5, br;q=0", false, true),
            ("BR;q=1.0", true, false),
            ("identity", false, false),
            ("", false, false),
            ("br;q=nonsense", false, false),
        ] {
            let headers = HeaderMap::from_iter([(header::ACCEPT_ENCODING, HeaderValue::from_static(line))]);
            assert_eq!((accepts(&headers, "br"), accepts(&headers, "gzip")), (brotli, gzip), "{line}");
        }
    }
}
