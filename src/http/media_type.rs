//! Content negotiation between the two media types of GraphQL over HTTP, and the media type of request bodies.

use axum::{
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::Response,
};

/// The media type of a response.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MediaType {
    /// `application/json`: every well-formed request has the status 200.
    Json,
    /// `application/graphql-response+json`: the status is 200 only for executed requests.
    GraphqlResponse,
}

/// The preference of a client for a media type: its weight `q`, then the specificity of the media range.
#[derive(Clone, Copy, Debug, Default, PartialEq, PartialOrd)]
struct Preference {
    q: f32,
    specificity: u8,
}

impl MediaType {
    /// The media type that `Accept` prefers; None if it excludes both. Without a preference it is `application/json`, which
    /// every client supports. If both are listed with equal weight, it is `application/graphql-response+json`.
    pub fn accepted(headers: &HeaderMap) -> Option<Self> {
        let lines = headers.get_all(header::ACCEPT).iter().map(|value| value.to_str().unwrap_or("unreadable"));
        let mut ranges =
            lines.flat_map(|line| line.split(',')).map(str::trim).filter(|range| !range.is_empty()).peekable();
        if ranges.peek().is_none() {
            return Some(Self::Json);
        }
        let (mut json, mut response) = (None, None);
        for range in ranges {
            let mut parts = range.split(';').map(str::trim);
            let media_type = parts.next().unwrap_or_default().to_ascii_lowercase();
            let mut q = 1.0;
            let mut is_supported = true;
            for (name, value) in parts.filter_map(|part| part.split_once('=')) {
                match name.trim().to_ascii_lowercase().as_str() {
                    "q" => q = value.trim().parse().ok().filter(|q| (0.0..=1.0).contains(q)).unwrap_or(1.0),
                    "charset" => is_supported = is_utf8(value),
                    _ => {}
                }
            }
            let specificity = match media_type.as_str() {
                _ if !is_supported => continue,
                "*/*" => 1,
                "application/*" => 2,
                "application/json" | "application/graphql-response+json" => 3,
                _ => continue,
            };
            let preference = Preference { q, specificity };
            if media_type != "application/json" {
                keep_more_specific(&mut response, preference);
            }
            if media_type != "application/graphql-response+json" {
                keep_more_specific(&mut json, preference);
            }
        }
        let acceptable = |preference: Option<Preference>| preference.filter(|preference| preference.q > 0.0);
        match (acceptable(json), acceptable(response)) {
            (None, None) => None,
            (json, Some(response)) if json.is_none_or(|json| json < response) => Some(Self::GraphqlResponse),
            (Some(json), Some(response)) if json == response && json.specificity == 3 => Some(Self::GraphqlResponse),
            _ => Some(Self::Json),
        }
    }

    /// The accepted media type, or JSON for the error response to a request that excludes both.
    pub fn accepted_or_json(headers: &HeaderMap) -> Self {
        Self::accepted(headers).unwrap_or(Self::Json)
    }

    /// Sets `Content-Type`, and `Vary`, as the response depends on `Accept`.
    pub fn mark(self, response: &mut Response) {
        let content_type = HeaderValue::from_static(match self {
            Self::Json => "application/json; charset=utf-8",
            Self::GraphqlResponse => "application/graphql-response+json; charset=utf-8",
        });
        response.headers_mut().insert(header::CONTENT_TYPE, content_type);
        response.headers_mut().append(header::VARY, HeaderValue::from_static("accept"));
    }

    /// The status of a well-formed request that was not executed.
    pub fn status(self, status: StatusCode) -> StatusCode {
        match self {
            Self::Json => StatusCode::OK,
            Self::GraphqlResponse => status,
        }
    }

    /// The status of a well-formed request whose document has a request error.
    pub fn request_error(self) -> StatusCode {
        self.status(StatusCode::BAD_REQUEST)
    }
}

/// Returns true if exactly one `Content-Type` states JSON in UTF-8. Rejecting all others is the protection against CSRF: a web
/// page can send forms and text to other origins without a preflight request.
pub fn body_is_json(headers: &HeaderMap) -> bool {
    let mut lines = headers.get_all(header::CONTENT_TYPE).iter();
    let (Some(line), None) = (lines.next(), lines.next()) else { return false };
    let mut parts = line.to_str().unwrap_or_default().split(';').map(str::trim);
    parts.next().is_some_and(|media_type| media_type.eq_ignore_ascii_case("application/json"))
        && parts.all(|part| match part.split_once('=') {
            Some((name, value)) if name.trim().eq_ignore_ascii_case("charset") => is_utf8(value),
            _ => true,
        })
}

fn keep_more_specific(kept: &mut Option<Preference>, preference: Preference) {
    if kept.is_none_or(|kept| (kept.specificity, kept.q) < (preference.specificity, preference.q)) {
        *kept = Some(preference);
    }
}

fn is_utf8(charset: &str) -> bool {
    let charset = charset.trim().trim_matches('"');
    ["utf-8", "utf8", "us-ascii"].iter().any(|name| name.eq_ignore_ascii_case(charset))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(name: &header::HeaderName, lines: &[&str]) -> HeaderMap {
        lines.iter().map(|line| (name.clone(), line.parse().expect("a header"))).collect()
    }

    #[test]
    fn accept_is_parsed_with_weights_and_specificity() {
        use MediaType::{GraphqlResponse, Json};
        const RESPONSE: &str = "application/graphql-response+json";
        for (lines, expected) in [
            (&[][..], Some(Json)),
            (&[""], Some(Json)),
            (&["*/*"], Some(Json)),
            (&["APPLICATION/*"], Some(Json)),
            (&["Application/Json ; Charset=\"UTF-8\""], Some(Json)),
            (&["application/json, text/plain, */*"], Some(Json)),
            (&[RESPONSE], Some(GraphqlResponse)),
            (&["Application/GraphQL-Response+JSON"], Some(GraphqlResponse)),
            (&["application/json", RESPONSE], Some(GraphqlResponse)),
            (&["application/graphql-response+json, application/json;q=0.9"], Some(GraphqlResponse)),
            (&["application/graphql-response+json;q=0.5, application/json"], Some(Json)),
            (&["application/graphql-response+json; Q=0.1, application/json;q=0.10"], Some(GraphqlResponse)),
            (&["application/graphql-response+json;q=0, */*"], Some(Json)),
            (&["application/json;q=0, */*;q=0.1"], Some(GraphqlResponse)),
            (&["application/json;q=0.001"], Some(Json)),
            (&["application/json;q=high"], Some(Json)),
            (&["application/json;q=0"], None),
            (&["application/json;q=0.000, text/html"], None),
            (&["*/*;q=0"], None),
            (&["text/html, image/*"], None),
            (&["application/json;charset=utf-16"], None),
            (&["application/xml+json"], None),
        ] {
            assert_eq!(MediaType::accepted(&headers(&header::ACCEPT, lines)), expected, "{lines:?}");
        }
    }

    #[test]
    fn a_body_is_json_if_one_content_type_states_it_in_utf8() {
        for (lines, expected) in [
            (&["application/json"][..], true),
            (&["Application/JSON;CHARSET=UTF-8"], true),
            (&["application/json; charset=\"utf-8\"; profile=x"], true),
            (&["application/json;"], true),
            (&["application/json; charset=utf-16"], false),
            (&["application/json; charset=iso-8859-1"], false),
            (&["application/json", "text/plain"], false),
            (&["application/json", "application/json"], false),
            (&["application/json, text/plain"], false),
            (&["application/graphql+json"], false),
            (&["application/graphql-response+json"], false),
            (&["application/graphql"], false),
            (&["text/json"], false),
            (&["application/json5"], false),
            (&[""], false),
            (&[], false),
        ] {
            assert_eq!(body_is_json(&headers(&header::CONTENT_TYPE, lines)), expected, "{lines:?}");
        }
    }
}
