//! Rejects requests for foreign hosts, against DNS rebinding: a web page can make a browser send requests to this machine, but
//! cannot choose the host name that the browser sends.

use axum::{
    extract::{Request, State},
    http::{StatusCode, header},
    middleware::Next,
    response::{IntoResponse, Response},
};

use super::{
    App, RequestId,
    client_address::{ClientConnection, Peer},
    error_response::error_response,
    forwarded_headers,
    host::Host,
    media_type::ResponseMediaType,
};
use crate::{
    config::HttpSettings,
    error::{Error, ErrorCode},
};

/// The middleware around all routes.
pub async fn check(State(app): State<App>, request: Request, next: Next) -> Response {
    match check_host(&request, &app.http) {
        Ok(()) => next.run(request).await,
        Err((status, error)) => {
            let media_type = ResponseMediaType::accepted_or_json(request.headers());
            let Some(id) = request.extensions().get::<RequestId>() else { return status.into_response() };
            let error_message = error.message();
            tracing::info!(
                request_id = &*id.id,
                status = status.as_u16(),
                error_message,
                "rejected a request by its host"
            );
            error_response(media_type, status, &error, id)
        }
    }
}

fn check_host(request: &Request, settings: &HttpSettings) -> Result<(), (StatusCode, Error)> {
    let Some(allowed) = &settings.allowed_hosts else { return Ok(()) };
    let bad = |message| (StatusCode::BAD_REQUEST, Error::new(ErrorCode::BadUserInput, message));
    let headers = request.headers();
    let mut lines = headers.get_all(header::HOST).iter();
    let (Some(line), None) = (lines.next(), lines.next()) else {
        return Err(bad("the request must have exactly one header Host"));
    };
    let proxied =
        request.extensions().get::<ClientConnection>().is_some_and(|connection| connection.peer == Peer::TrustedProxy);
    let forwarded = if proxied { forwarded_headers::forwarded_host(headers, settings) } else { None };
    let target = request.uri().authority().map(|authority| authority.as_str().to_owned());
    let own = || line.to_str().unwrap_or_default().to_owned();
    let hosts = match forwarded {
        Some(host) => vec![host],
        None => target.into_iter().chain([own()]).collect(),
    };
    for host in hosts {
        match Host::parse(&host) {
            None => return Err(bad("the header Host is invalid; a valid value is api.example.com:8000")),
            Some(Host::Local) => {}
            Some(Host::Name(name)) if allowed.contains(&name) => {}
            Some(Host::Name(name)) => {
                let message = format!(
                    "the host `{name}` is not allowed: use localhost or an IP address, or add it to \
                     GUARDIANEYE_ALLOWED_HOSTS"
                );
                return Err((StatusCode::MISDIRECTED_REQUEST, Error::new(ErrorCode::BadUserInput, message)));
            }
        }
    }
    Ok(())
}
