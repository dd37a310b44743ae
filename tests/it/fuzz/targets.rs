//! The targets: each builds one HTTP request from random bytes.

use arbitrary::{Result, Unstructured};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};

use super::{
    corpus::{DOCUMENTS, PIECES},
    generate::{filter, json, mangled, one, text},
};

/// Builds a request.
pub type Target = fn(&mut Unstructured, &Known) -> Result<Vec<u8>>;

/// What a client learns from the server before it sends anything odd.
pub struct Known {
    /// The access token of an admin.
    pub token: String,
    /// Cursors of three lists.
    pub cursors: Vec<String>,
}

/// A POST of these bytes to `/graphql`.
pub fn post(headers: &[(&str, &str)], body: &[u8]) -> Vec<u8> {
    let mut request = b"POST /graphql HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n".to_vec();
    for (name, value) in headers {
        request.extend_from_slice(format!("{name}: {value}\r\n").as_bytes());
    }
    request.extend_from_slice(format!("Content-Length: {}\r\n\r\n", body.len()).as_bytes());
    request.extend_from_slice(body);
    request
}

/// The same, as the admin.
fn post_as(token: &str, body: &str) -> Vec<u8> {
    post(&[("Authorization", &format!("Bearer {token}"))], body.as_bytes())
}

fn quoted(text: &str) -> String {
    serde_json::to_string(text).unwrap_or_default()
}

pub fn bodies(u: &mut Unstructured, known: &Known) -> Result<Vec<u8>> {
    const BODIES: &[&str] = &[
        r#"{"query": "{ me { id } }", "variables": {"a": [1, -2.5e3, "\u0041"]}, "operationName": null, "extensions": {}}"#,
        r#"{"extensions": {"persistedQuery": {"version": 1, "sha256Hash": "ecf4edb46db40b5132295c0291d62fb65d6759a9eedfa4d5d612dd5ec54a6b38"}}}"#,
        r#"[{"query": "{ me { id } }"}]"#,
        r#"{"query": "{ me { id } }", "variables": {"$serde_json::private::RawValue": "{\"a\": [1]}"}}"#,
    ];
    const BODY_PIECES: &[&str] = &[
        "{",
        "}",
        "[",
        "]",
        ":",
        ",",
        "\"",
        "\\",
        "\\u0000",
        "\\ud800",
        "null",
        "1e999",
        "-",
        "é",
        "\u{0}",
        "query",
        "variables",
        "$serde_json::private::RawValue",
        "99999999999999999999",
    ];
    let mut body = if u.ratio(1, 6)? { json(u, 5)? } else { mangled(u, BODIES, BODY_PIECES)? }.into_bytes();
    if u.ratio(1, 10)? && !body.is_empty() {
        let at = u.int_in_range(0..=body.len() - 1)?;
        body[at] = u.arbitrary()?;
    }
    Ok(post(&[("Authorization", &format!("Bearer {}", known.token))], &body))
}

pub fn documents(u: &mut Unstructured, known: &Known) -> Result<Vec<u8>> {
    let document = mangled(u, DOCUMENTS, PIECES)?;
    Ok(post_as(&known.token, &format!(r#"{{"query":{},"variables":{{"p":"x"}}}}"#, quoted(&document))))
}

pub fn variables(u: &mut Unstructured, known: &Known) -> Result<Vec<u8>> {
    let query = one(
        u,
        &[
            "mutation($a: CreateSessionInput!) { createSession(input: $a) { session { id context title } } }",
            "mutation($a: JSON) { createSession(input: {context: $a, title: \"x\"}) { session { id context } } }",
            "mutation($a: JSON, $b: String) { recordAuditLog(input: {action: QUERY_AGENT, details: $a, description: $b}) { auditLog { id details } } }",
            "query($a: JSON) { sessions(filter: {context: {contains: $a}}) { nodes { id context } } }",
            "query($a: [ID!]!) { nodes(ids: $a) { id } }",
            "query($a: Int, $b: String) { users(first: $a, after: $b) { nodes { id username } } }",
            "mutation($a: CreateUserInput!) { createUser(input: $a) { user { id } } }",
        ],
    )?;
    let a = match u.int_in_range(0..=2)? {
        0 => format!(r#"{{"title":{},"context":{},"threadId":{}}}"#, quoted(&text(u)?), json(u, 4)?, json(u, 0)?),
        _ => json(u, 5)?,
    };
    let (operation, extensions) =
        if u.ratio(1, 8)? { (json(u, 1)?, json(u, 3)?) } else { ("null".into(), "{}".into()) };
    let variables = format!(r#"{{"a":{a},"b":{}}}"#, json(u, 1)?);
    let query = quoted(query);
    let body =
        format!(r#"{{"query":{query},"variables":{variables},"operationName":{operation},"extensions":{extensions}}}"#);
    Ok(post_as(&known.token, &body))
}

pub fn filters(u: &mut Unstructured, known: &Known) -> Result<Vec<u8>> {
    let (list, input, order) = *u.choose(&[
        ("users", "UserFilter", "UserOrder"),
        ("sessions", "SessionFilter", "SessionOrder"),
        ("auditLogs", "AuditLogFilter", "AuditLogOrder"),
    ])?;
    let query = quoted(&format!(
        "query($f: {input}, $o: {order}, $a: String, $n: Int) {{ {list}(filter: $f, orderBy: $o, after: $a, first: $n) {{ totalCount nodes {{ id }} }} }}"
    ));
    let mut variables = format!(r#""f":{}"#, filter(u, 4)?);
    if u.ratio(1, 8)? {
        let (field, direction) = (json(u, 1)?, json(u, 1)?);
        let order =
            format!(r#""o":{{"field":{field},"direction":{direction}}},"a":{},"n":{}"#, json(u, 1)?, json(u, 1)?);
        variables = format!("{variables},{order}");
    }
    Ok(post_as(&known.token, &format!(r#"{{"query":{query},"variables":{{{variables}}}}}"#)))
}

pub fn cursors(u: &mut Unstructured, known: &Known) -> Result<Vec<u8>> {
    let cursors: Vec<&str> = known.cursors.iter().map(String::as_str).collect();
    let cursor = match u.int_in_range(0..=3)? {
        0 => {
            let length = u.int_in_range(0..=80)?;
            URL_SAFE_NO_PAD.encode(u.bytes(length)?)
        }
        1 => mangled(u, &cursors, &["A", "_", "-", "=", "\u{0}", "é", "AAAAAAAA"])?,
        _ => one(u, &cursors)?.to_owned(),
    };
    let list = one(u, &["users", "sessions", "auditLogs"])?;
    let field = one(u, &["CREATED_AT", "TIMESTAMP", "USERNAME", "UPDATED_AT", "EMAIL", "TITLE"])?;
    let page = one(u, &["first: 5, after: $c", "last: 5, before: $c", "after: $c, before: $c"])?;
    let query = format!("query($c: String) {{ {list}({page}, orderBy: {{field: {field}}}) {{ nodes {{ id }} }} }}");
    Ok(post_as(&known.token, &format!(r#"{{"query":{},"variables":{{"c":{}}}}}"#, quoted(&query), quoted(&cursor))))
}

/// What is not a token that was issued.
pub fn tokens(u: &mut Unstructured, known: &Known) -> Result<Vec<u8>> {
    const TOKEN_PIECES: &[&str] =
        &["", ".", "..", "a", "A", "-", "_", "=", "~", "gey_", "ger_", "eyJ", "bm9uZQ", "e30", "0"];
    let api_token = "gey_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
    let mangled = mangled(u, &[&known.token, api_token], TOKEN_PIECES)?;
    if mangled == known.token {
        return Err(arbitrary::Error::IncorrectFormat);
    }
    if u.ratio(1, 4)? {
        let query = quoted("mutation($t: String!) { refreshToken(input: {refreshToken: $t}) { expiresAt } }");
        let body = format!(r#"{{"query":{query},"variables":{{"t":{}}}}}"#, quoted(&mangled));
        return Ok(post(&[], body.as_bytes()));
    }
    Ok(post_as(&mangled, r#"{"query":"{ me { id } }"}"#))
}

pub fn headers(u: &mut Unstructured, known: &Known) -> Result<Vec<u8>> {
    const NAMES: &[&str] = &[
        "Accept",
        "Accept-Encoding",
        "Authorization",
        "Content-Type",
        "Content-Encoding",
        "Host",
        "Origin",
        "Cookie",
        "Idempotency-Key",
        "X-Receipt",
        "X-Request-Id",
        "X-Forwarded-For",
        "X-Forwarded-Proto",
        "X-Forwarded-Host",
        "Forwarded",
        "User-Agent",
        "Expect",
        "Upgrade",
        "Connection",
        "Transfer-Encoding",
        "Content-Length",
        "traceparent",
        "Access-Control-Request-Method",
        "If-None-Match",
        "Range",
        "x",
    ];
    const VALUES: &[&str] = &[
        "",
        "*/*",
        "application/json",
        "application/graphql-response+json; charset=utf-8",
        "text/html;q=0.1, */*;q=2",
        "gzip, zstd",
        "Bearer",
        "Bearer x",
        "Basic YWRtaW46YWRtaW4=",
        "localhost",
        "evil.example",
        "[::1]:8000",
        "127.0.0.1",
        "null",
        "https://evil.example",
        "key-1",
        "\"key-1\"",
        "1",
        "0",
        "for=\"[2001:db8::1]\";proto=https;host=x",
        "10.0.0.1, 192.0.2.1",
        "100-continue",
        "websocket",
        "close",
        "chunked",
        "-1",
        "18446744073709551616",
        "\u{1}",
        "é",
        "a\u{202e}b",
        "bytes=0-",
    ];
    let method = one(u, &["POST", "GET", "OPTIONS", "HEAD", "PUT", "DELETE", "TRACE", "PRI", "post"])?;
    let path = one(
        u,
        &[
            "/graphql",
            "/graphql?query=%7Bme%7Bid%7D%7D",
            "/",
            "/health/ready",
            "/.well-known/jwks.json",
            "/%00",
            "//",
            "/assets/../x",
            "*",
        ],
    )?;
    let mut request = format!("{method} {path} HTTP/1.1\r\nHost: localhost\r\n").into_bytes();
    if u.arbitrary()? {
        request.extend_from_slice(format!("Authorization: Bearer {}\r\n", known.token).as_bytes());
    }
    for _ in 0..u.int_in_range(0..=5)? {
        let value = match u.int_in_range(0..=5)? {
            0 => u.bytes(8)?.to_vec(),
            1 => one(u, VALUES)?.repeat(u.int_in_range(1..=60)?).into_bytes(),
            _ => one(u, VALUES)?.as_bytes().to_vec(),
        };
        request.extend_from_slice(one(u, NAMES)?.as_bytes());
        request.extend_from_slice(b": ");
        request.extend(value.into_iter().filter(|byte| !matches!(byte, b'\r' | b'\n')));
        request.extend_from_slice(b"\r\n");
    }
    let body: &[u8] = if method == "POST" { br#"{"query":"mutation { logout { success } }"}"# } else { b"" };
    request.extend_from_slice(
        format!("Content-Type: application/json\r\nContent-Length: {}\r\nConnection: close\r\n\r\n", body.len())
            .as_bytes(),
    );
    request.extend_from_slice(body);
    Ok(request)
}

pub fn urls(u: &mut Unstructured, known: &Known) -> Result<Vec<u8>> {
    fn encoded(text: &str) -> String {
        url::form_urlencoded::byte_serialize(text.as_bytes()).collect()
    }
    let query = if u.arbitrary()? {
        mangled(u, DOCUMENTS, PIECES)?
    } else {
        "query($a: JSON) { sessions(filter: {context: {contains: $a}}) { totalCount } }".to_owned()
    };
    let mut parameters = vec![format!("query={}", encoded(&query))];
    for name in ["variables", "extensions", "operationName"] {
        if u.arbitrary()? {
            let value = if u.arbitrary()? { json(u, 4)? } else { format!(r#"{{"a":{}}}"#, json(u, 4)?) };
            parameters.push(format!("{name}={}", encoded(&value)));
        }
    }
    if u.ratio(1, 10)? {
        parameters.push(
            mangled(u, &["query=%7B", "a=b&c", "variables=%7b%7d"], &["%", "%zz", "&", "=", "+", "%00", "#"])?
                .replace([' ', '\r', '\n'], ""),
        );
    }
    let url = parameters.join("&");
    let token = &known.token;
    Ok(format!("GET /graphql?{url} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {token}\r\n\r\n").into_bytes())
}
