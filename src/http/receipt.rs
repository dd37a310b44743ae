//! The receipt of a request: what it took, for a signed-in principal who asks by the header `X-Receipt`. The numbers of
//! statements and rows tell what the database holds, so they are for those who may read all of it anyway.

use axum::http::HeaderMap;

use super::RequestId;
use crate::{
    auth::Principal,
    db::Db,
    graphql::{Receipt, access},
};

/// What a principal may see of the receipt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Detail {
    /// Nothing: the principal is anonymous.
    Nothing,
    /// The cost and the duration.
    Cost,
    /// The statements and rows, too.
    Everything,
}

impl Detail {
    /// By who sent the request, also when it logs somebody in.
    pub fn of(principal: &Principal) -> Self {
        match principal {
            Principal::Anonymous => Self::Nothing,
            Principal::Authenticated(_) if access::ANALYST.check(principal).is_ok() => Self::Everything,
            Principal::Authenticated(_) => Self::Cost,
        }
    }
}

/// What a request asked of the database. It stands in the extensions of the response, which no client sees.
#[derive(Clone, Copy, Debug)]
pub struct Usage {
    /// SQL statements, authentication included.
    pub statements: u64,
    /// Rows those statements returned or changed.
    pub rows: u64,
}

impl Usage {
    /// By the meter of the request's own handle.
    #[must_use]
    pub fn of(db: &Db) -> Self {
        Self { statements: db.meter().statements(), rows: db.meter().rows() }
    }
}

/// The receipt, if the client asks for one and the principal may have it.
pub fn of(headers: &HeaderMap, id: &RequestId, cost: Option<u64>, usage: Usage, detail: Detail) -> Option<Receipt> {
    let is_asked_for = headers.get("x-receipt").is_some_and(|value| value != "0");
    let everything = detail == Detail::Everything;
    (is_asked_for && detail != Detail::Nothing).then(|| Receipt {
        request_id: id.id.to_string(),
        cost,
        statements: everything.then_some(usage.statements),
        rows: everything.then_some(usage.rows),
        duration_ms: (id.arrived.elapsed().as_secs_f64() * 1e6).round() / 1e3,
    })
}
