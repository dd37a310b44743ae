//! The receipt of a request: `extensions.receipt` in its response.

use async_graphql::{Name, Value, indexmap::IndexMap};

use super::execution::Json;

/// What a request cost.
#[derive(Clone, Debug)]
pub struct Receipt {
    pub request_id: String,
    /// The complexity of the operation; `None` if the request was rejected before it was computed.
    pub cost: Option<u64>,
    /// The number of SQL statements, authentication included; `None` below the role ANALYST.
    pub statements: Option<u64>,
    /// The number of rows that the statements returned or changed; `None` below the role ANALYST.
    pub rows: Option<u64>,
    /// Milliseconds since the request arrived.
    pub duration_ms: f64,
}

impl Receipt {
    /// The receipt as JSON text.
    #[must_use]
    pub fn to_json(self) -> String {
        Json::from_value(&self.into())
    }
}

impl From<Receipt> for Value {
    fn from(receipt: Receipt) -> Self {
        let fields = [
            ("requestId", Some(Value::from(receipt.request_id))),
            ("cost", Some(receipt.cost.map_or(Value::Null, Value::from))),
            ("statements", receipt.statements.map(Value::from)),
            ("rows", receipt.rows.map(Value::from)),
            ("durationMs", Some(receipt.duration_ms.into())),
        ];
        let fields = fields.into_iter().filter_map(|(name, value)| Some((Name::new(name), value?)));
        Value::Object(fields.collect::<IndexMap<_, _>>())
    }
}
