//! The receipt of a request: its complexity and duration, for authenticated principals that request one. The numbers of
//! statements and rows reveal the content of the database, so only principals that may read all of it see them.

use std::time::Instant;

use async_graphql::{Name, Value, indexmap::IndexMap};

use super::{access, execution::Json};
use crate::{auth::Principal, db::Db};

/// The database usage of a request.
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

/// The part of the receipt that a principal may read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Detail {
    /// No receipt: the principal is anonymous, or the client requested none.
    Nothing,
    /// The complexity and the duration.
    Complexity,
    /// Also the numbers of statements and rows.
    Everything,
}

impl Detail {
    /// For the principal that sent the request, also if the request is a login.
    pub(super) fn of(principal: &Principal, wants_receipt: bool) -> Self {
        match principal {
            Principal::Authenticated(_) if !wants_receipt => Self::Nothing,
            Principal::Anonymous => Self::Nothing,
            Principal::Authenticated(_) if access::ANALYST.check(principal).is_ok() => Self::Everything,
            Principal::Authenticated(_) => Self::Complexity,
        }
    }
}

/// The receipt, in `extensions.receipt`.
#[derive(Clone, Debug)]
pub(super) struct Receipt {
    request_id: String,
    /// The complexity of the operation; None for a replayed response.
    complexity: Option<u64>,
    /// None below the role ANALYST.
    usage: Option<Usage>,
    /// From the arrival of the request, in milliseconds.
    duration_ms: f64,
}

impl Receipt {
    /// The receipt that the principal may read, if any.
    pub(super) fn new(
        request_id: &str,
        received_at: Instant,
        complexity: Option<u64>,
        usage: Usage,
        detail: Detail,
    ) -> Option<Self> {
        (detail != Detail::Nothing).then(|| Self {
            request_id: request_id.to_owned(),
            complexity,
            usage: Some(usage).filter(|_| detail == Detail::Everything),
            duration_ms: (received_at.elapsed().as_secs_f64() * 1e6).round() / 1e3,
        })
    }

    /// Adds the receipt to a response without extensions, a JSON object.
    pub(super) fn append_to(self, body: &mut String) {
        body.pop();
        body.push_str(",\"extensions\":{\"receipt\":");
        body.push_str(&Json::of_value(&self.into()));
        body.push_str("}}");
    }
}

impl From<Receipt> for Value {
    fn from(receipt: Receipt) -> Self {
        let fields = [
            ("requestId", Some(Value::from(receipt.request_id))),
            ("cost", Some(receipt.complexity.map_or(Value::Null, Value::from))),
            ("statements", receipt.usage.map(|usage| Value::from(usage.statements))),
            ("rows", receipt.usage.map(|usage| Value::from(usage.rows))),
            ("durationMs", Some(receipt.duration_ms.into())),
        ];
        let fields = fields.into_iter().filter_map(|(name, value)| Some((Name::new(name), value?)));
        Value::Object(fields.collect::<IndexMap<_, _>>())
    }
}
