//! Content negotiation between the two media types of GraphQL over HTTP, and the media type of request bodies.

use axum::{
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::Response,
};
use mediatype::{MediaType, MediaTypeList, Name, ReadParams, Value, media_type, names};

const JSON: MediaType<'_> = media_type!(APPLICATION / JSON);
const GRAPHQL_RESPONSE: MediaType<'_> =
    MediaType::from_parts(names::APPLICATION, Name::new_unchecked("graphql-response"), Some(names::JSON), &[]);
const ANY: MediaType<'_> = media_type!(_STAR / _STAR);
const ANY_APPLICATION: MediaType<'_> = media_type!(APPLICATION / _STAR);

/// The media type of a response.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ResponseMediaType {
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

impl ResponseMediaType {
    /// The media type that `Accept` prefers; None if it excludes both. Without a preference it is `application/json`, which
    /// every client supports. If both are listed with equal weight, it is `application/graphql-response+json`.
    pub fn accepted(headers: &HeaderMap) -> Option<Self> {
        let lines = || headers.get_all(header::ACCEPT).iter().map(|line| line.to_str().unwrap_or("not text"));
        if lines().flat_map(|line| line.split(',')).all(|range| range.trim().is_empty()) {
            return Some(Self::Json);
        }
        let (mut json, mut response) = (None, None);
        for range in lines().flat_map(MediaTypeList::new).filter_map(Result::ok).filter(is_utf8) {
            let preference = |specificity| Preference { q: weight(&range), specificity };
            match range.essence() {
                essence if essence == JSON => keep_more_specific(&mut json, preference(3)),
                essence if essence == GRAPHQL_RESPONSE => keep_more_specific(&mut response, preference(3)),
                essence if essence == ANY || essence == ANY_APPLICATION => {
                    let specificity = if essence == ANY { 1 } else { 2 };
                    keep_more_specific(&mut json, preference(specificity));
                    keep_more_specific(&mut response, preference(specificity));
                }
                _ => {}
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
    let media_type = line.to_str().ok().and_then(|line| MediaType::parse(line).ok());
    media_type.is_some_and(|media_type| media_type.essence() == JSON && is_utf8(&media_type))
}

/// The weight `q` of a media range; 1 if it is absent or invalid.
fn weight(range: &MediaType<'_>) -> f32 {
    let q = range.get_param(names::Q).and_then(|q| q.as_str().parse().ok());
    q.filter(|q| (0.0..=1.0).contains(q)).unwrap_or(1.0)
}

fn keep_more_specific(kept: &mut Option<Preference>, preference: Preference) {
    if kept.is_none_or(|kept| (kept.specificity, kept.q) < (preference.specificity, preference.q)) {
        *kept = Some(preference);
    }
}

/// Returns true if the media type has no charset, or one that UTF-8 includes.
fn is_utf8(media_type: &MediaType<'_>) -> bool {
    let is_included = |charset: Value<'_>| {
        ["utf-8", "utf8", "us-ascii"].iter().any(|name| charset.unquoted_str().eq_ignore_ascii_case(name))
    };
    media_type.get_param(names::CHARSET).is_none_or(is_included)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(name: &header::HeaderName, lines: &[&str]) -> HeaderMap {
        lines.iter().map(|line| (name.clone(), line.parse().expect("a header"))).collect()
    }

    #[test]
    fn accept_is_parsed_with_weights_and_specificity() {
        use ResponseMediaType::{GraphqlResponse, Json};
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
            assert_eq!(ResponseMediaType::accepted(&headers(&header::ACCEPT, lines)), expected, "{lines:?}");
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
