//! The receipt of a request: its complexity and duration, for authenticated principals that send the header `X-Receipt`. The
//! numbers of statements and rows reveal the content of the database, so only principals that may read all of it see them.

use axum::http::HeaderMap;

use super::RequestId;
use crate::{
    auth::Principal,
    db::Db,
    graphql::{Receipt, access},
};

/// The part of the receipt that a principal may read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Detail {
    /// None: the principal is anonymous.
    Nothing,
    /// The complexity and the duration.
    Cost,
    /// Also the numbers of statements and rows.
    Everything,
}

impl Detail {
    /// For the principal that sent the request, also if the request is a login.
    pub fn of(principal: &Principal) -> Self {
        match principal {
            Principal::Anonymous => Self::Nothing,
            Principal::Authenticated(_) if access::ANALYST.check(principal).is_ok() => Self::Everything,
            Principal::Authenticated(_) => Self::Cost,
        }
    }
}

/// The database usage of a request; an extension of the response (clients do not see it).
#[derive(Clone, Copy, Debug)]
pub struct Usage {
    /// SQL statements, including those of authentication.
    pub statements: u64,
    /// Rows that the statements returned or changed.
    pub rows: u64,
}

impl Usage {
    /// Reads the meter of the request.
    #[must_use]
    pub fn of(db: &Db) -> Self {
        Self { statements: db.meter().statements(), rows: db.meter().rows() }
    }
}

/// The receipt, if the client requests one and the principal may read it.
pub fn of(headers: &HeaderMap, id: &RequestId, cost: Option<u64>, usage: Usage, detail: Detail) -> Option<Receipt> {
    let is_requested = headers.get("x-receipt").is_some_and(|value| value != "0");
    let everything = detail == Detail::Everything;
    (is_requested && detail != Detail::Nothing).then(|| Receipt {
        request_id: id.id.to_string(),
        cost,
        statements: everything.then_some(usage.statements),
        rows: everything.then_some(usage.rows),
        duration_ms: (id.arrived.elapsed().as_secs_f64() * 1e6).round() / 1e3,
    })
}
