//! How the words of the domain are stored: PostgreSQL's own types there, sortable text on SQLite.
//! Also `row!`, by which a table's column list and its decoding are one declaration.

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

use super::dialect::packed::Value;
use crate::model::{
    AnyId, ApiTokenId, AuditAction, AuditLogId, AuthSessionId, InvalidTimestamp, KeyId, RawJson, Role, Scopes,
    SessionId, Timestamp, UserId,
};

/// Text on SQLite, by `Display` and `FromStr`.
macro_rules! text_on_sqlite {
    ($($name:ty),+) => {$(
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

        impl Value for $name {
            fn from_text(text: Option<&str>) -> Result<Self, BoxDynError> {
                Ok(text.ok_or(UnexpectedNullError)?.parse()?)
            }
        }
    )+};
}

/// On PostgreSQL, what another Rust type already is there.
macro_rules! on_postgres_as {
    ($inner:ty: $($name:ty),+) => {$(
        impl Type<Postgres> for $name {
            fn type_info() -> PgTypeInfo {
                <$inner as Type<Postgres>>::type_info()
            }

            fn compatible(ty: &PgTypeInfo) -> bool {
                <$inner as Type<Postgres>>::compatible(ty)
            }
        }

        impl PgHasArrayType for $name {
            fn array_type_info() -> PgTypeInfo {
                <$inner as PgHasArrayType>::array_type_info()
            }
        }

        impl Encode<'_, Postgres> for $name {
            fn encode_by_ref(&self, out: &mut PgArgumentBuffer) -> Result<IsNull, BoxDynError> {
                Encode::<Postgres>::encode(<$inner>::from(*self), out)
            }
        }
    )+};
}

/// The same for reading.
macro_rules! from_postgres_as {
    ($inner:ty: $($name:ty),+) => {$(
        impl<'r> Decode<'r, Postgres> for $name {
            fn decode(value: PgValueRef<'r>) -> Result<Self, BoxDynError> {
                Ok(<$inner as Decode<Postgres>>::decode(value)?.into())
            }
        }
    )+};
}

/// A named enum type on PostgreSQL, the same word as text on SQLite.
macro_rules! stored_words {
    ($($name:ident = $type_name:literal),+) => {$(
        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(self.as_str())
            }
        }

        impl Type<Postgres> for $name {
            fn type_info() -> PgTypeInfo {
                PgTypeInfo::with_name($type_name)
            }
        }

        impl PgHasArrayType for $name {
            fn array_type_info() -> PgTypeInfo {
                PgTypeInfo::with_name(concat!("_", $type_name))
            }
        }

        impl Encode<'_, Postgres> for $name {
            fn encode_by_ref(&self, out: &mut PgArgumentBuffer) -> Result<IsNull, BoxDynError> {
                <&str as Encode<Postgres>>::encode(self.as_str(), out)
            }
        }

        impl<'r> Decode<'r, Postgres> for $name {
            fn decode(value: PgValueRef<'r>) -> Result<Self, BoxDynError> {
                Ok(value.as_str()?.parse()?)
            }
        }

        text_on_sqlite!($name);
    )+};
}

on_postgres_as!(Uuid: UserId, SessionId, AuditLogId, AuthSessionId, ApiTokenId, KeyId, AnyId);
from_postgres_as!(Uuid: UserId, SessionId, AuditLogId, AuthSessionId, ApiTokenId, KeyId, AnyId);
on_postgres_as!(DateTime<Utc>: Timestamp);
text_on_sqlite!(UserId, SessionId, AuditLogId, AuthSessionId, ApiTokenId, KeyId, AnyId, Timestamp, Scopes);
stored_words!(Role = "user_role_enum", AuditAction = "audit_action_enum");

/// From the eight bytes themselves: by way of chrono's types it took a tenth of the time of reading an audit log.
impl<'r> Decode<'r, Postgres> for Timestamp {
    fn decode(value: PgValueRef<'r>) -> Result<Self, BoxDynError> {
        /// Microseconds from 1970 to 2000, where PostgreSQL counts from.
        const EPOCH: i64 = 946_684_800_000_000;
        if value.format() == PgValueFormat::Text {
            return Ok(<DateTime<Utc> as Decode<Postgres>>::decode(value)?.into());
        }
        let micros = i64::from_be_bytes(value.as_bytes()?.try_into()?);
        // PostgreSQL's infinity is beyond all years.
        Ok(Self::from_micros(micros.saturating_add(EPOCH)).ok_or(InvalidTimestamp)?)
    }
}

impl From<Timestamp> for DateTime<Utc> {
    fn from(at: Timestamp) -> Self {
        at.datetime()
    }
}

impl Type<Postgres> for Scopes {
    fn type_info() -> PgTypeInfo {
        <str as Type<Postgres>>::type_info()
    }

    fn compatible(ty: &PgTypeInfo) -> bool {
        <str as Type<Postgres>>::compatible(ty)
    }
}

impl Encode<'_, Postgres> for Scopes {
    fn encode_by_ref(&self, out: &mut PgArgumentBuffer) -> Result<IsNull, BoxDynError> {
        Encode::<Postgres>::encode(self.to_string(), out)
    }
}

impl<'r> Decode<'r, Postgres> for Scopes {
    fn decode(value: PgValueRef<'r>) -> Result<Self, BoxDynError> {
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

/// The text as it is: it was JSON when it was stored, and is not read again for being carried.
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

/// One declaration for a table: its column list (each prefixed by `t.`) and the decoding of a row by position.
macro_rules! row {
    ($table:literal as $name:ident, $columns:ident: $first:ident $(, $field:ident)* $(,)?) => {
        /// The columns of the table, in the order in which a row is decoded.
        const $columns: &[&str] = &[stringify!($first) $(, stringify!($field))*];

        $crate::db::codec::row!(@for sqlx::postgres::PgRow, $name: $first $(, $field)*);
        $crate::db::codec::row!(@for sqlx::sqlite::SqliteRow, $name: $first $(, $field)*);

        impl $crate::db::dialect::packed::Unpack for $name {
            fn unpack(values: &mut $crate::db::dialect::packed::Values<'_>) -> sqlx::Result<Self> {
                Ok(Self { $first: values.next()? $(, $field: values.next()?)* })
            }

            fn bytes(&self) -> usize {
                use $crate::db::dialect::packed::Value;
                size_of::<Self>() + self.$first.heap_bytes() $(+ self.$field.heap_bytes())*
            }
        }
    };
    (@for $row:ty, $name:ident: $($field:ident),+) => {
        impl sqlx::FromRow<'_, $row> for $name {
            fn from_row(row: &$row) -> sqlx::Result<Self> {
                let mut column = 0_usize..;
                // Whether the columns have these types is for the migrations and a test to see, not for each value.
                $(let $field = sqlx::Row::try_get_unchecked(row, column.next().unwrap_or_default())?;)+
                Ok(Self { $($field),+ })
            }
        }
    };
}

pub(super) use row;
