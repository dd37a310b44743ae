//! How types of the model are stored: as native types on PostgreSQL, as sortable text on SQLite.

use std::{fmt::Display, str::FromStr};

use sqlx::{
    Decode, Encode, Postgres, Sqlite, Type,
    encode::IsNull,
    error::{BoxDynError, UnexpectedNullError},
    postgres::{PgArgumentBuffer, PgHasArrayType, PgTypeInfo, PgValueFormat, PgValueRef},
    sqlite::{SqliteArgumentsBuffer, SqliteTypeInfo, SqliteValueRef},
    types::{
        Text,
        chrono::{DateTime, Utc},
    },
};
use uuid::Uuid;

use super::dialect::PackedValue;
use crate::model::{
    AnyId, ApiTokenId, AuditAction, AuditLogId, AuthSessionId, InvalidTimestamp, KeyId, RawJson, Role, Scopes,
    SessionId, Timestamp, UserId,
};

/// A type with a representation on PostgreSQL; on SQLite it is the text of its `Display` and `FromStr`.
trait Stored: Display + FromStr {
    fn pg_type() -> PgTypeInfo;

    fn pg_array_type() -> PgTypeInfo;

    fn pg_compatible(ty: &PgTypeInfo) -> bool {
        *ty == Self::pg_type()
    }

    fn pg_encode(&self, out: &mut PgArgumentBuffer) -> Result<IsNull, BoxDynError> {
        <String as Encode<Postgres>>::encode(self.to_string(), out)
    }

    fn pg_decode(value: PgValueRef<'_>) -> Result<Self, BoxDynError>;
}

/// Implements the traits of sqlx, and `PackedValue`, for types that implement [`Stored`]. For each type it expands to
///
/// ```ignore
/// impl Type<Postgres> for UserId { .. }            // Stored::pg_type, pg_compatible
/// impl PgHasArrayType for UserId { .. }            // Stored::pg_array_type
/// impl Encode<'_, Postgres> for UserId { .. }      // Stored::pg_encode
/// impl<'r> Decode<'r, Postgres> for UserId { .. }  // Stored::pg_decode
/// impl Type<Sqlite> for UserId { .. }              // text
/// impl Encode<'_, Sqlite> for UserId { .. }        // Display
/// impl<'r> Decode<'r, Sqlite> for UserId { .. }    // FromStr
/// impl PackedValue for UserId { .. }               // FromStr
/// ```
///
/// A macro, because the orphan rule forbids to implement sqlx's traits for all types that implement [`Stored`].
macro_rules! stored {
    ($($name:ty),+ $(,)?) => {$(
        impl Type<Postgres> for $name {
            fn type_info() -> PgTypeInfo {
                Self::pg_type()
            }

            fn compatible(ty: &PgTypeInfo) -> bool {
                Self::pg_compatible(ty)
            }
        }

        impl PgHasArrayType for $name {
            fn array_type_info() -> PgTypeInfo {
                Self::pg_array_type()
            }
        }

        impl Encode<'_, Postgres> for $name {
            fn encode_by_ref(&self, out: &mut PgArgumentBuffer) -> Result<IsNull, BoxDynError> {
                self.pg_encode(out)
            }
        }

        impl<'r> Decode<'r, Postgres> for $name {
            fn decode(value: PgValueRef<'r>) -> Result<Self, BoxDynError> {
                Self::pg_decode(value)
            }
        }

        impl Type<Sqlite> for $name {
            fn type_info() -> SqliteTypeInfo {
                <Text<Self> as Type<Sqlite>>::type_info()
            }

            fn compatible(ty: &SqliteTypeInfo) -> bool {
                <Text<Self> as Type<Sqlite>>::compatible(ty)
            }
        }

        impl Encode<'_, Sqlite> for $name {
            fn encode_by_ref(&self, out: &mut SqliteArgumentsBuffer) -> Result<IsNull, BoxDynError> {
                Encode::<Sqlite>::encode(self.to_string(), out)
            }
        }

        impl<'r> Decode<'r, Sqlite> for $name {
            fn decode(value: SqliteValueRef<'r>) -> Result<Self, BoxDynError> {
                Ok(<&str as Decode<Sqlite>>::decode(value)?.parse()?)
            }
        }

        impl PackedValue for $name {
            fn from_text(text: Option<&str>) -> Result<Self, BoxDynError> {
                Ok(text.ok_or(UnexpectedNullError)?.parse()?)
            }
        }
    )+};
}

stored!(UserId, SessionId, AuditLogId, AuthSessionId, ApiTokenId, KeyId, AnyId, Timestamp, Role, AuditAction, Scopes,);

/// Ids are of type `uuid`.
impl<T> Stored for T
where
    T: Copy + Display + FromStr + From<Uuid> + Into<Uuid>,
{
    fn pg_type() -> PgTypeInfo {
        <Uuid as Type<Postgres>>::type_info()
    }

    fn pg_array_type() -> PgTypeInfo {
        <Uuid as PgHasArrayType>::array_type_info()
    }

    fn pg_encode(&self, out: &mut PgArgumentBuffer) -> Result<IsNull, BoxDynError> {
        Encode::<Postgres>::encode((*self).into(), out)
    }

    fn pg_decode(value: PgValueRef<'_>) -> Result<Self, BoxDynError> {
        Ok(<Uuid as Decode<Postgres>>::decode(value)?.into())
    }
}

impl Stored for Timestamp {
    fn pg_type() -> PgTypeInfo {
        <DateTime<Utc> as Type<Postgres>>::type_info()
    }

    fn pg_array_type() -> PgTypeInfo {
        <DateTime<Utc> as PgHasArrayType>::array_type_info()
    }

    fn pg_encode(&self, out: &mut PgArgumentBuffer) -> Result<IsNull, BoxDynError> {
        Encode::<Postgres>::encode(self.datetime(), out)
    }

    /// From the eight bytes: chrono's types took a tenth of the time of reading an audit log entry.
    fn pg_decode(value: PgValueRef<'_>) -> Result<Self, BoxDynError> {
        /// Microseconds from 1970 to 2000, PostgreSQL's epoch.
        const EPOCH: i64 = 946_684_800_000_000;
        if value.format() == PgValueFormat::Text {
            return Ok(<DateTime<Utc> as Decode<Postgres>>::decode(value)?.into());
        }
        let micros = i64::from_be_bytes(value.as_bytes()?.try_into()?);
        // PostgreSQL's infinity is out of range.
        Ok(Self::from_micros(micros.saturating_add(EPOCH)).ok_or(InvalidTimestamp)?)
    }
}

impl Stored for Role {
    fn pg_type() -> PgTypeInfo {
        PgTypeInfo::with_name("user_role_enum")
    }

    fn pg_array_type() -> PgTypeInfo {
        PgTypeInfo::with_name("_user_role_enum")
    }

    fn pg_decode(value: PgValueRef<'_>) -> Result<Self, BoxDynError> {
        Ok(value.as_str()?.parse()?)
    }
}

impl Stored for AuditAction {
    fn pg_type() -> PgTypeInfo {
        PgTypeInfo::with_name("audit_action_enum")
    }

    fn pg_array_type() -> PgTypeInfo {
        PgTypeInfo::with_name("_audit_action_enum")
    }

    fn pg_decode(value: PgValueRef<'_>) -> Result<Self, BoxDynError> {
        Ok(value.as_str()?.parse()?)
    }
}

impl Stored for Scopes {
    fn pg_type() -> PgTypeInfo {
        <str as Type<Postgres>>::type_info()
    }

    fn pg_array_type() -> PgTypeInfo {
        <String as PgHasArrayType>::array_type_info()
    }

    fn pg_compatible(ty: &PgTypeInfo) -> bool {
        <str as Type<Postgres>>::compatible(ty)
    }

    fn pg_decode(value: PgValueRef<'_>) -> Result<Self, BoxDynError> {
        Ok(value.as_str()?.parse()?)
    }
}

impl Type<Postgres> for RawJson {
    fn type_info() -> PgTypeInfo {
        PgTypeInfo::with_name("json")
    }

    fn compatible(ty: &PgTypeInfo) -> bool {
        <sqlx::types::JsonRawValue as Type<Postgres>>::compatible(ty)
    }
}

impl Encode<'_, Postgres> for RawJson {
    fn encode_by_ref(&self, out: &mut PgArgumentBuffer) -> Result<IsNull, BoxDynError> {
        <&str as Encode<Postgres>>::encode(&self.0, out)
    }
}

/// The text as it is stored: it was validated when it was written.
impl<'r> Decode<'r, Postgres> for RawJson {
    fn decode(value: PgValueRef<'r>) -> Result<Self, BoxDynError> {
        const JSONB_VERSION: u8 = 1;
        let bytes = value.as_bytes()?;
        let text = bytes.strip_prefix(&[JSONB_VERSION]).unwrap_or(bytes);
        Ok(Self(std::str::from_utf8(text)?.to_owned()))
    }
}

impl Type<Sqlite> for RawJson {
    fn type_info() -> SqliteTypeInfo {
        <String as Type<Sqlite>>::type_info()
    }
}

impl Encode<'_, Sqlite> for RawJson {
    fn encode_by_ref(&self, out: &mut SqliteArgumentsBuffer) -> Result<IsNull, BoxDynError> {
        Encode::<Sqlite>::encode(self.0.clone(), out)
    }
}

impl<'r> Decode<'r, Sqlite> for RawJson {
    fn decode(value: SqliteValueRef<'r>) -> Result<Self, BoxDynError> {
        Ok(Self(<String as Decode<Sqlite>>::decode(value)?))
    }
}
