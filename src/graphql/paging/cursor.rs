//! Cursors: opaque, versioned, and bound to the node type and the order of their list.

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use sha2::{Digest, Sha256};
use uuid::Uuid;

use crate::{
    db::query::{Order, Position, SortValue},
    error::{Error, Result},
    model::{AnyId, Timestamp},
};

/// The layout: version, id, type of the sort value (1 byte), sort value, checksum of these and of the order.
const VERSION: u8 = 1;
const HEAD: usize = 1 + 16 + 1;
const CHECK: usize = 6;
/// The maximum length of a cursor.
const MAX_CHARS: usize = 2_000;

const NEVER: u8 = 0;
const TIME: u8 = 1;
const TEXT: u8 = 2;

pub(super) fn encode(of: &str, order: Order, position: &Position) -> String {
    let mut bytes = vec![VERSION];
    bytes.extend_from_slice(Uuid::from(position.id).as_bytes());
    match &position.value {
        SortValue::Time(None) => bytes.push(NEVER),
        SortValue::Time(Some(at)) => {
            bytes.push(TIME);
            bytes.extend_from_slice(&at.micros().to_be_bytes());
        }
        SortValue::Text(text) => {
            bytes.push(TEXT);
            bytes.extend_from_slice(text.as_bytes());
        }
    }
    bytes.extend(check(of, order, &bytes));
    BASE64_URL_SAFE_NO_PAD.encode(bytes)
}

pub(super) fn decode(of: &str, order: Order, field: &'static str, cursor: &str) -> Result<Position> {
    let position = (cursor.len() <= MAX_CHARS).then(|| BASE64_URL_SAFE_NO_PAD.decode(cursor).ok()).flatten();
    position
        .and_then(|bytes| position_in(of, order, &bytes))
        .ok_or_else(|| Error::bad_input(field, format!("`{field}` is not a cursor of this list in this order")))
}

fn position_in(of: &str, order: Order, bytes: &[u8]) -> Option<Position> {
    let (payload, found) = bytes.split_at_checked(bytes.len().checked_sub(CHECK)?)?;
    let (head, value) = payload.split_at_checked(HEAD)?;
    if head[0] != VERSION || found != check(of, order, payload) {
        return None;
    }
    let id = AnyId(Uuid::from_slice(&head[1..17]).ok()?);
    let value = match head[17] {
        NEVER if value.is_empty() => SortValue::Time(None),
        TIME => SortValue::Time(Some(Timestamp::from_micros(i64::from_be_bytes(value.try_into().ok()?))?)),
        TEXT => SortValue::Text(String::from_utf8(value.to_vec()).ok()?),
        _ => return None,
    };
    order.column.can_be(&value).then_some(Position { value, id })
}

/// Detects cursors that were altered, truncated or taken from another list. It is no protection against forgery, which
/// reaches only another position in a list that the principal may read: the value is checked against the sort column.
fn check(of: &str, order: Order, payload: &[u8]) -> [u8; CHECK] {
    let direction = if order.descending { "desc" } else { "asc" };
    let digest = Sha256::new()
        .chain_update(format!("{of} {} {direction} ", order.column.name()))
        .chain_update(payload)
        .finalize();
    let mut check = [0; CHECK];
    check.copy_from_slice(&digest[..CHECK]);
    check
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::db::users::orders;

    #[test]
    fn a_cursor_with_a_right_checksum_needs_a_value_of_the_sort_column() {
        let id = AnyId(Uuid::nil());
        let at = "2026-03-01T12:00:00Z".parse().ok();
        let values =
            [SortValue::Time(at), SortValue::Time(None), SortValue::Text("a".into()), SortValue::Text("\0".into())];
        for (column, fits) in [
            (orders::CREATED_AT, [true, false, false, false]),
            (orders::LAST_LOGIN, [true, true, false, false]),
            (orders::USERNAME, [false, false, true, false]),
        ] {
            let order = Order { column, descending: true };
            for (value, fits) in values.iter().zip(fits) {
                let position = Position { value: value.clone(), id };
                let decoded = decode("User", order, "after", &encode("User", order, &position));
                assert_eq!(decoded.ok(), fits.then_some(position), "{} {value:?}", column.name());
            }
        }
    }

    /// Also with a right checksum, which a forger can compute.
    #[test]
    fn random_bytes_decode_to_nothing_or_to_a_position_of_the_order() {
        let mut rng = fastrand::Rng::with_seed(0xc0_0501);
        let mut taken = 0;
        for round in 0..10_000 {
            let order = Order {
                column: [orders::CREATED_AT, orders::LAST_LOGIN, orders::USERNAME][rng.usize(..3)],
                descending: rng.bool(),
            };
            let length = if round % 2 == 0 { rng.usize(..40) } else { HEAD + rng.usize(6..10) };
            let mut bytes: Vec<u8> = (0..length).map(|_| rng.u8(..)).collect();
            if let Some(version) = bytes.first_mut().filter(|_| rng.u8(..8) > 0) {
                *version = VERSION;
            }
            if let Some(kind) = bytes.get_mut(17).filter(|_| rng.u8(..8) > 0) {
                *kind = rng.u8(..4);
            }
            bytes.extend(check("User", order, &bytes));
            let cursor = BASE64_URL_SAFE_NO_PAD.encode(&bytes);
            match decode("User", order, "after", &cursor) {
                Ok(position) => {
                    taken += 1;
                    assert_eq!(encode("User", order, &position), cursor);
                }
                Err(error) => assert_eq!((error.code().as_str(), error.field()), ("BAD_USER_INPUT", Some("after"))),
            }
            let text: String = (0..rng.usize(..60)).map(|_| rng.char(..)).collect();
            decode("User", order, "after", &text).expect_err("not a cursor");
        }
        assert!(taken > 20, "{taken}");
    }
}
