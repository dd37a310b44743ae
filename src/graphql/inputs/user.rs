//! `UserFilter` and `UserOrder`.

use async_graphql::{Enum, InputObject};

use super::{
    Budget, Combined, FilterInput, OrderDirection,
    operators::{DateTimeFilter, IdFilter, RoleFilter, TextFilter},
};
use crate::{
    db::{
        query::{Filter, Order, Predicate},
        users::{columns, orders},
    },
    error::Result,
};

/// Which users to list: all that is given has to hold. At most 5 levels, 50 operators and 500 values.
#[derive(InputObject)]
pub struct UserFilter {
    /// By id.
    id: Option<IdFilter>,
    /// By user name.
    username: Option<TextFilter>,
    /// By e-mail address.
    email: Option<TextFilter>,
    /// By the name for people.
    full_name: Option<TextFilter>,
    /// By role.
    role: Option<RoleFilter>,
    /// Only those who can log in, or only those who cannot.
    is_active: Option<bool>,
    /// By when they were created.
    created_at: Option<DateTimeFilter>,
    /// By when they were last changed.
    updated_at: Option<DateTimeFilter>,
    /// By when they last logged in; `isNull: true` finds those who never did.
    last_login: Option<DateTimeFilter>,
    /// Those whose user name, e-mail address or name holds this text.
    search: Option<String>,
    /// All of these hold.
    and: Option<Vec<UserFilter>>,
    /// At least one of these holds; none does in an empty list.
    or: Option<Vec<UserFilter>>,
    /// This does not hold.
    not: Option<Box<UserFilter>>,
}

/// In which order to list users. The id breaks ties.
#[derive(InputObject)]
pub struct UserOrder {
    /// What to compare.
    field: UserOrderField,
    /// Which end comes first.
    #[graphql(default_with = "OrderDirection::Desc")]
    direction: OrderDirection,
}

/// What users can be ordered by.
#[derive(Clone, Copy, Debug, Enum, PartialEq, Eq)]
pub enum UserOrderField {
    /// When they were created.
    CreatedAt,
    /// The user name, letter by letter by code point.
    Username,
    /// The e-mail address, letter by letter by code point.
    Email,
    /// When they last logged in; never is before all times.
    LastLogin,
}

impl FilterInput for UserFilter {
    fn build(self, budget: &mut Budget, level: u32) -> Result<Filter> {
        let mut parts = Vec::new();
        budget.field(columns::ID, self.id, &mut parts)?;
        budget.field(columns::USERNAME, self.username, &mut parts)?;
        budget.field(columns::EMAIL, self.email, &mut parts)?;
        budget.field(columns::FULL_NAME, self.full_name, &mut parts)?;
        budget.field(columns::ROLE, self.role, &mut parts)?;
        budget.truth(columns::IS_ACTIVE, self.is_active, &mut parts)?;
        budget.field(columns::CREATED_AT, self.created_at, &mut parts)?;
        budget.field(columns::UPDATED_AT, self.updated_at, &mut parts)?;
        budget.field(columns::LAST_LOGIN, self.last_login, &mut parts)?;
        if let Some(text) = self.search {
            budget.test()?;
            let text = Budget::text(text)?;
            let holds = |column| Filter::Column(column, Predicate::Contains(text.clone()));
            parts.push(Filter::Any([columns::USERNAME, columns::EMAIL, columns::FULL_NAME].map(holds).into()));
        }
        budget.combine(level, &mut parts, Combined { and: self.and, or: self.or, not: self.not })?;
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
