//! `UserFilter` and `UserOrder`.

use async_graphql::{Enum, InputObject};

use super::{
    filter::{FilterInput, NestedFilters, SizeLimit},
    operators::{DateTimeFilter, IdFilter, RoleFilter, TextFilter},
    order::OrderDirection,
};
use crate::{
    db::{
        query::{Filter, Order, Predicate},
        users::{columns, orders},
    },
    error::Result,
};

/// A filter for users: all given fields must match. At most 5 levels, 50 operators and 500 values.
#[derive(InputObject)]
pub struct UserFilter {
    /// The id.
    id: Option<IdFilter>,
    /// The user name.
    username: Option<TextFilter>,
    /// The e-mail address.
    email: Option<TextFilter>,
    /// The full name.
    full_name: Option<TextFilter>,
    /// The role.
    role: Option<RoleFilter>,
    /// True for users who can log in, false for deactivated ones.
    is_active: Option<bool>,
    /// The time of creation.
    created_at: Option<DateTimeFilter>,
    /// The time of the last change.
    updated_at: Option<DateTimeFilter>,
    /// The time of the last login; `isNull: true` matches users who never logged in.
    last_login: Option<DateTimeFilter>,
    /// A text that the user name, the e-mail address or the full name contains (ASCII letters case-insensitive).
    search: Option<String>,
    /// All of these filters match.
    and: Option<Vec<UserFilter>>,
    /// At least one of these filters matches; an empty list matches nothing.
    or: Option<Vec<UserFilter>>,
    /// This filter does not match.
    not: Option<Box<UserFilter>>,
}

/// An order of users. Ties are broken by id.
#[derive(InputObject)]
pub struct UserOrder {
    /// The field to sort by.
    field: UserOrderField,
    /// The direction.
    #[graphql(default_with = "OrderDirection::Desc")]
    direction: OrderDirection,
}

/// The fields that users can be sorted by.
#[derive(Clone, Copy, Debug, Enum, PartialEq, Eq)]
pub enum UserOrderField {
    /// The time of creation.
    CreatedAt,
    /// The user name, by code points.
    Username,
    /// The e-mail address, by code points.
    Email,
    /// The time of the last login; users who never logged in sort before all times.
    LastLogin,
}

impl FilterInput for UserFilter {
    fn build(self, limit: &mut SizeLimit, level: u32) -> Result<Filter> {
        let mut parts = Vec::new();
        limit.field(columns::ID, self.id, &mut parts)?;
        limit.field(columns::USERNAME, self.username, &mut parts)?;
        limit.field(columns::EMAIL, self.email, &mut parts)?;
        limit.field(columns::FULL_NAME, self.full_name, &mut parts)?;
        limit.field(columns::ROLE, self.role, &mut parts)?;
        limit.boolean(columns::IS_ACTIVE, self.is_active, &mut parts)?;
        limit.field(columns::CREATED_AT, self.created_at, &mut parts)?;
        limit.field(columns::UPDATED_AT, self.updated_at, &mut parts)?;
        limit.field(columns::LAST_LOGIN, self.last_login, &mut parts)?;
        if let Some(text) = self.search {
            limit.count_operator()?;
            let text = SizeLimit::text(text)?;
            let holds = |column| Filter::Column(column, Predicate::Contains(text.clone()));
            parts.push(Filter::Any([columns::USERNAME, columns::EMAIL, columns::FULL_NAME].map(holds).into()));
        }
        limit.nested(level, &mut parts, NestedFilters { and: self.and, or: self.or, not: self.not })?;
        Ok(Filter::All(parts))
    }
}

impl From<UserOrder> for Order {
    fn from(order: UserOrder) -> Self {
        let column = match order.field {
            UserOrderField::CreatedAt => orders::CREATED_AT,
            UserOrderField::Username => orders::USERNAME,
            UserOrderField::Email => orders::EMAIL,
            UserOrderField::LastLogin => orders::LAST_LOGIN,
        };
        Self { column, descending: order.direction == OrderDirection::Desc }
    }
}
