//! Custom scalars, and ids.

use async_graphql::{ID, InputValueError, InputValueResult, Scalar, ScalarType, Value};
use uuid::Uuid;

use super::document::ClientJson;
use crate::{
    error::{Error, Result},
    model::{RawJson, Timestamp},
};

/// A time in RFC 3339 format, in UTC, with six fractional digits, such as `2026-03-01T08:00:00.000000Z`. Input may have any
/// offset and up to nine fractional digits; it is truncated to microseconds.
#[Scalar(name = "DateTime", specified_by_url = "https://scalars.graphql.org/andimarek/date-time.html")]
impl ScalarType for Timestamp {
    fn parse(value: Value) -> InputValueResult<Self> {
        match &value {
            Value::String(text) => text
                .parse()
                .map_err(|_| InputValueError::custom("expected an RFC 3339 time such as 2026-03-01T08:00:00Z")),
            _ => Err(InputValueError::expected_type(value)),
        }
    }

    fn to_value(&self) -> Value {
        Value::String(self.to_string())
    }
}

/// A JSON value of at most 64 levels. It is returned as it was stored, with the order of its keys. Of duplicate keys the last
/// one counts. Integers have at most 64 bits, signed or unsigned, and are exact; other numbers are doubles.
#[Scalar(name = "JSON", specified_by_url = "https://www.rfc-editor.org/rfc/rfc8259")]
impl ScalarType for RawJson {
    fn parse(value: Value) -> InputValueResult<Self> {
        Ok(Self(serde_json::to_string(&ClientJson(&value))?))
    }

    fn to_value(&self) -> Value {
        self.to_raw_value()
    }
}

/// The UUID in an `ID` argument.
pub(super) fn uuid(argument: &'static str, id: &ID) -> Result<Uuid> {
    id.parse().map_err(|_| {
        Error::bad_input(argument, format!("`{argument}` must be a UUID, such as 018e7a3c-5d2f-7c4b-9a61-3f0c2d8b1e57"))
    })
}
