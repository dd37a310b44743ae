//! Relay connections (GraphQL Cursor Connections Specification) over keyset pages, and their cursors.

use std::{borrow::Cow, sync::Arc};

use async_graphql::{Context, Object, OutputType, SimpleObject, TypeName};
use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use sha2::{Digest, Sha256};
use uuid::Uuid;

use super::context::{ContextExt, RequestContext};
use crate::{
    db::page::{Page, Position, Slice},
    error::{Error, Result},
    model::{AnyId, Timestamp, UserId},
};

/// Rows on a page when neither `first` nor `last` is given.
pub(super) const DEFAULT_LIMIT: u16 = 20;
/// Rows on a page at most.
pub(super) const MAX_LIMIT: u16 = 100;

/// A type that is listed in pages.
pub trait Listed: OutputType + Sized {
    /// The name of the order, to which cursors are bound.
    const ORDER: &'static str;

    /// Where the row stands in the order.
    fn position(&self) -> Position;

    /// A page of all rows, or of those that belong to a user.
    fn fetch(
        request: &RequestContext,
        of: Option<UserId>,
        page: Page,
    ) -> impl Future<Output = Result<Arc<Slice<Self>>>> + Send;
}

/// The paging arguments of a field.
#[derive(Debug, Default)]
pub struct PageArgs {
    pub first: Option<i32>,
    pub after: Option<String>,
    pub last: Option<i32>,
    pub before: Option<String>,
}

impl PageArgs {
    fn page<T: Listed>(&self) -> Result<Page> {
        let (field, count, cursor_field, cursor, foreign) = match (self.first, self.last) {
            (Some(_), Some(_)) => return Err(Error::bad_input("last", "give either first or last, not both")),
            (first, None) if first.is_some() || self.before.is_none() => {
                ("first", first, "after", &self.after, self.before.as_ref().map(|_| "before"))
            }
            (_, last) => ("last", last, "before", &self.before, self.after.as_ref().map(|_| "after")),
        };
        if let Some(foreign) = foreign {
            return Err(Error::bad_input(foreign, format!("{field} goes with {cursor_field}, not with {foreign}")));
        }
        let limit = match count {
            None => DEFAULT_LIMIT,
            Some(count) => u16::try_from(count)
                .ok()
                .filter(|count| (1..=MAX_LIMIT).contains(count))
                .ok_or_else(|| Error::bad_input(field, format!("between 1 and {MAX_LIMIT}")))?,
        };
        let from = cursor.as_deref().map(|cursor| decode_cursor(T::ORDER, cursor_field, cursor)).transpose()?;
        Ok(Page { limit, from, backward: field == "last", inclusive: false })
    }
}

/// A page of a list.
#[derive(Debug)]
pub struct Connection<T> {
    slice: Arc<Slice<T>>,
    page: Page,
    of: Option<UserId>,
}

/// A row of a list, with its place there.
#[derive(Debug)]
pub struct Edge<'a, T>(&'a T);

/// Where a page stands in its list.
#[derive(Debug, SimpleObject)]
pub struct PageInfo {
    /// Whether there are rows after the last of this page, which `first` and `after: endCursor` would give.
    has_next_page: bool,
    /// Whether there are rows before the first of this page, which `last` and `before: startCursor` would give.
    has_previous_page: bool,
    /// The cursor of the page's first row; null when the page is empty.
    start_cursor: Option<String>,
    /// The cursor of the page's last row; null when the page is empty.
    end_cursor: Option<String>,
}

impl<T: Listed> Connection<T> {
    /// Reads a page of all rows, or of a user's.
    pub async fn load(request: &RequestContext, of: Option<UserId>, args: PageArgs) -> Result<Self> {
        let page = args.page::<T>()?;
        Ok(Self { slice: T::fetch(request, of, page).await?, page, of })
    }

    /// Whether rows lie on the other side of where the page starts; asked only when there was a cursor.
    async fn has_behind(&self, request: &RequestContext) -> Result<bool> {
        match self.page.behind() {
            Some(behind) => Ok(T::fetch(request, self.of, behind).await?.has_more),
            None => Ok(false),
        }
    }
}

impl<T: OutputType> TypeName for Connection<T> {
    fn type_name() -> Cow<'static, str> {
        format!("{}Connection", T::type_name()).into()
    }
}

impl<T: OutputType> TypeName for Edge<'_, T> {
    fn type_name() -> Cow<'static, str> {
        format!("{}Edge", T::type_name()).into()
    }
}

/// A page of a list, newest first.
#[Object(name_type)]
impl<T: Listed> Connection<T> {
    /// The rows of the page with their cursors.
    async fn edges(&self) -> Vec<Edge<'_, T>> {
        self.slice.rows.iter().map(Edge).collect()
    }

    /// The rows of the page.
    async fn nodes(&self) -> &[T] {
        &self.slice.rows
    }

    /// Where the page stands in the list.
    async fn page_info(&self, ctx: &Context<'_>) -> Result<PageInfo> {
        let ahead = self.slice.has_more;
        let look_ahead = ctx.look_ahead();
        let behind_field = if self.page.backward { "hasNextPage" } else { "hasPreviousPage" };
        let behind = look_ahead.field(behind_field).exists() && self.has_behind(ctx.request()).await?;
        let (has_next_page, has_previous_page) = if self.page.backward { (behind, ahead) } else { (ahead, behind) };
        let cursor = |row: Option<&T>| row.map(|row| encode_cursor(T::ORDER, &row.position()));
        Ok(PageInfo {
            has_next_page,
            has_previous_page,
            start_cursor: cursor(self.slice.rows.first()),
            end_cursor: cursor(self.slice.rows.last()),
        })
    }
}

/// A row of a list, with its cursor.
#[Object(name_type)]
impl<T: Listed> Edge<'_, T> {
    /// The row's place in the list, for `after` and `before`. Opaque, and bound to the order of the list.
    async fn cursor(&self) -> String {
        encode_cursor(T::ORDER, &self.0.position())
    }

    /// The row.
    async fn node(&self) -> &T {
        self.0
    }
}

/// The layout of a cursor: version, time, id, and a check over those and the name of the order.
const VERSION: u8 = 1;
const CHECK: usize = 6;
const LENGTH: usize = 1 + 8 + 16 + CHECK;

fn encode_cursor(order: &str, position: &Position) -> String {
    let mut bytes = [0; LENGTH];
    bytes[0] = VERSION;
    bytes[1..9].copy_from_slice(&position.at.micros().to_be_bytes());
    bytes[9..25].copy_from_slice(Uuid::from(position.id).as_bytes());
    let check = check(order, &bytes[..25]);
    bytes[25..].copy_from_slice(&check);
    BASE64_URL_SAFE_NO_PAD.encode(bytes)
}

fn decode_cursor(order: &str, field: &'static str, cursor: &str) -> Result<Position> {
    let refused = || Error::bad_input(field, "not a cursor of this list and order");
    let bytes = BASE64_URL_SAFE_NO_PAD.decode(cursor).map_err(|_| refused())?;
    let bytes: [u8; LENGTH] = bytes.try_into().map_err(|_| refused())?;
    if bytes[0] != VERSION || bytes[25..] != check(order, &bytes[..25]) {
        return Err(refused());
    }
    let (mut at, mut id) = ([0; 8], [0; 16]);
    at.copy_from_slice(&bytes[1..9]);
    id.copy_from_slice(&bytes[9..25]);
    let at = Timestamp::from_micros(i64::from_be_bytes(at)).ok_or_else(refused)?;
    Ok(Position { at, id: AnyId(Uuid::from_bytes(id)) })
}

/// Tells a cursor that was altered, cut or taken from another list. It guards against mistakes, not against forgers,
/// who would gain nothing: a cursor only names a place in a list that its bearer may read anyway.
fn check(order: &str, payload: &[u8]) -> [u8; CHECK] {
    let digest = Sha256::new().chain_update(order).chain_update(payload).finalize();
    let mut check = [0; CHECK];
    check.copy_from_slice(&digest[..CHECK]);
    check
}
