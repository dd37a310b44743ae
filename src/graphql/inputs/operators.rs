//! The operators of a filter, by the type of the field. All given operators must match. An operator that is null is an
//! error: an omitted variable must not widen the result.

use async_graphql::{ID, InputObject, MaybeUndefined};

use super::filter::SizeLimit;
use crate::{
    db::query::{Column, Filter, Predicate, TimeComparison},
    error::{Error, Result},
    graphql::{
        enums::{AuditAction, Role},
        scalars,
    },
    json,
    model::{self, RawJson, Timestamp},
};

/// A filter for a text. `eq` and `in` are case-sensitive; `contains` and `startsWith` compare ASCII letters
/// case-insensitively. `%`, `_` and `\` have no special meaning.
#[derive(InputObject)]
pub struct TextFilter {
    /// Equals this text.
    pub(super) eq: MaybeUndefined<String>,
    /// Equals one of these texts; an empty list matches nothing.
    pub(super) r#in: MaybeUndefined<Vec<String>>,
    /// Contains this text.
    pub(super) contains: MaybeUndefined<String>,
    /// Starts with this text.
    pub(super) starts_with: MaybeUndefined<String>,
    /// True matches rows without a value, false rows with a value.
    pub(super) is_null: MaybeUndefined<bool>,
}

/// A filter for an id.
#[derive(InputObject)]
pub struct IdFilter {
    /// Equals this id.
    eq: MaybeUndefined<ID>,
    /// Equals one of these ids; an empty list matches nothing.
    r#in: MaybeUndefined<Vec<ID>>,
    /// Equals none of these ids; matches rows without a value.
    not_in: MaybeUndefined<Vec<ID>>,
    /// True matches rows without a value, false rows with a value.
    is_null: MaybeUndefined<bool>,
}

/// A filter for a role.
#[derive(InputObject)]
pub struct RoleFilter {
    /// Equals this role.
    eq: MaybeUndefined<Role>,
    /// Equals one of these roles; an empty list matches nothing.
    r#in: MaybeUndefined<Vec<Role>>,
    /// Equals none of these roles.
    not_in: MaybeUndefined<Vec<Role>>,
}

/// A filter for an action.
#[derive(InputObject)]
pub struct AuditActionFilter {
    /// Equals this action.
    eq: MaybeUndefined<AuditAction>,
    /// Equals one of these actions; an empty list matches nothing.
    r#in: MaybeUndefined<Vec<AuditAction>>,
    /// Equals none of these actions.
    not_in: MaybeUndefined<Vec<AuditAction>>,
}

/// A filter for a time.
#[derive(InputObject)]
pub struct DateTimeFilter {
    /// Later than this time.
    gt: MaybeUndefined<Timestamp>,
    /// At this time or later.
    gte: MaybeUndefined<Timestamp>,
    /// Earlier than this time.
    lt: MaybeUndefined<Timestamp>,
    /// At this time or earlier.
    lte: MaybeUndefined<Timestamp>,
    /// True matches rows without a time, false rows with a time.
    is_null: MaybeUndefined<bool>,
}

/// A filter for a JSON value.
#[derive(InputObject)]
pub struct JsonFilter {
    /// Contains this value, as `jsonb @>` in PostgreSQL: an object contains each of its keys, an array each of its elements in
    /// any order. At most 50 values and 10 levels.
    contains: MaybeUndefined<RawJson>,
    /// True matches rows without a value, false rows with a value.
    is_null: MaybeUndefined<bool>,
}

/// A set of operators.
pub trait Operators {
    /// Adds a predicate of the column for each operator that is given.
    fn add(self, column: Column, limit: &mut SizeLimit, parts: &mut Vec<Filter>) -> Result<()>;
}

impl SizeLimit {
    /// Adds the predicates of a field, if it is given.
    pub(super) fn field<O: Operators>(
        &mut self,
        column: Column,
        operators: Option<O>,
        parts: &mut Vec<Filter>,
    ) -> Result<()> {
        operators.map_or(Ok(()), |operators| operators.add(column, self, parts))
    }

    /// Adds the predicate of a truth value, if it is given.
    pub(super) fn boolean(&mut self, column: Column, value: Option<bool>, parts: &mut Vec<Filter>) -> Result<()> {
        if let Some(value) = value {
            self.count_operator()?;
            parts.push(Filter::Column(column, Predicate::IsTrue(value)));
        }
        Ok(())
    }

    /// The value of an operator, if it is given.
    pub(super) fn operator<T>(&mut self, name: &'static str, value: MaybeUndefined<T>) -> Result<Option<T>> {
        match value {
            MaybeUndefined::Undefined => Ok(None),
            MaybeUndefined::Null => Err(Error::bad_input(
                name,
                format!("`{name}` cannot be null: omit it, or use `isNull` to match rows without a value"),
            )),
            MaybeUndefined::Value(value) => {
                self.count_operator()?;
                Ok(Some(value))
            }
        }
    }

    /// The list of an operator, if it is given.
    fn list<T, U>(
        &mut self,
        name: &'static str,
        values: MaybeUndefined<Vec<T>>,
        convert: impl Fn(T) -> Result<U>,
    ) -> Result<Option<Vec<U>>> {
        let Some(values) = self.operator(name, values)? else { return Ok(None) };
        self.count_values(values.len())?;
        values.into_iter().map(convert).collect::<Result<_>>().map(Some)
    }
}

fn not(column: Column, predicate: Predicate) -> Filter {
    Filter::Not(Box::new(Filter::Column(column, predicate)))
}

impl TextFilter {
    /// A predicate for each operator that is given.
    pub(super) fn predicates(self, limit: &mut SizeLimit) -> Result<impl Iterator<Item = Predicate>> {
        let eq =
            limit.operator("eq", self.eq)?.map(SizeLimit::text).transpose()?.map(|text| Predicate::Text(vec![text]));
        let among = limit.list("in", self.r#in, SizeLimit::text)?.map(Predicate::Text);
        let contains =
            limit.operator("contains", self.contains)?.map(SizeLimit::text).transpose()?.map(Predicate::Contains);
        let starts = limit.operator("startsWith", self.starts_with)?.map(SizeLimit::text).transpose()?;
        let is_null = limit.operator("isNull", self.is_null)?.map(Predicate::IsNull);
        Ok([eq, among, contains, starts.map(Predicate::StartsWith), is_null].into_iter().flatten())
    }
}

impl Operators for TextFilter {
    fn add(self, column: Column, limit: &mut SizeLimit, parts: &mut Vec<Filter>) -> Result<()> {
        parts.extend(self.predicates(limit)?.map(|predicate| Filter::Column(column, predicate)));
        Ok(())
    }
}

impl Operators for IdFilter {
    fn add(self, column: Column, limit: &mut SizeLimit, parts: &mut Vec<Filter>) -> Result<()> {
        let eq = limit.operator("eq", self.eq)?.map(|id| scalars::uuid("eq", &id)).transpose()?;
        let among = limit.list("in", self.r#in, |id| scalars::uuid("in", &id))?;
        let none_of = limit.list("notIn", self.not_in, |id| scalars::uuid("notIn", &id))?;
        let is_null = limit.operator("isNull", self.is_null)?.map(Predicate::IsNull);
        let predicates = [eq.map(|id| Predicate::Id(vec![id])), among.map(Predicate::Id), is_null];
        parts.extend(predicates.into_iter().flatten().map(|predicate| Filter::Column(column, predicate)));
        parts.extend(none_of.map(|ids| not(column, Predicate::Id(ids))));
        Ok(())
    }
}

impl Operators for RoleFilter {
    fn add(self, column: Column, limit: &mut SizeLimit, parts: &mut Vec<Filter>) -> Result<()> {
        let role = |role| Ok(model::Role::from(role));
        let eq = limit.operator("eq", self.eq)?.map(|role| Predicate::Role(vec![role.into()]));
        let among = limit.list("in", self.r#in, role)?.map(Predicate::Role);
        let none_of = limit.list("notIn", self.not_in, role)?;
        parts.extend([eq, among].into_iter().flatten().map(|predicate| Filter::Column(column, predicate)));
        parts.extend(none_of.map(|roles| not(column, Predicate::Role(roles))));
        Ok(())
    }
}

impl Operators for AuditActionFilter {
    fn add(self, column: Column, limit: &mut SizeLimit, parts: &mut Vec<Filter>) -> Result<()> {
        let action = |action| Ok(model::AuditAction::from(action));
        let eq = limit.operator("eq", self.eq)?.map(|action| Predicate::Action(vec![action.into()]));
        let among = limit.list("in", self.r#in, action)?.map(Predicate::Action);
        let none_of = limit.list("notIn", self.not_in, action)?;
        parts.extend([eq, among].into_iter().flatten().map(|predicate| Filter::Column(column, predicate)));
        parts.extend(none_of.map(|actions| not(column, Predicate::Action(actions))));
        Ok(())
    }
}

impl Operators for DateTimeFilter {
    fn add(self, column: Column, limit: &mut SizeLimit, parts: &mut Vec<Filter>) -> Result<()> {
        for (name, value, order) in [
            ("gt", self.gt, TimeComparison::After),
            ("gte", self.gte, TimeComparison::AtOrAfter),
            ("lt", self.lt, TimeComparison::Before),
            ("lte", self.lte, TimeComparison::AtOrBefore),
        ] {
            let predicate = limit.operator(name, value)?.map(|at| Predicate::Time(order, at));
            parts.extend(predicate.map(|predicate| Filter::Column(column, predicate)));
        }
        let is_null = limit.operator("isNull", self.is_null)?.map(Predicate::IsNull);
        parts.extend(is_null.map(|predicate| Filter::Column(column, predicate)));
        Ok(())
    }
}

impl Operators for JsonFilter {
    fn add(self, column: Column, limit: &mut SizeLimit, parts: &mut Vec<Filter>) -> Result<()> {
        if let Some(RawJson(text)) = limit.operator("contains", self.contains)? {
            let value = json::read("contains", text.as_bytes())?;
            check_json(&value)?;
            parts.push(Filter::Column(column, Predicate::JsonContains(value)));
        }
        let is_null = limit.operator("isNull", self.is_null)?.map(Predicate::IsNull);
        parts.extend(is_null.map(|predicate| Filter::Column(column, predicate)));
        Ok(())
    }
}

/// Checks the size of a JSON value. On SQLite the statement grows with it.
fn check_json(value: &serde_json::Value) -> Result<()> {
    const MAX_JSON_VALUES: usize = 50;
    const MAX_JSON_LEVELS: u32 = 10;
    fn size(value: &serde_json::Value, level: u32) -> Option<usize> {
        use serde_json::Value;
        let inner: Vec<&Value> = match value {
            Value::Array(elements) => elements.iter().collect(),
            Value::Object(fields) => fields.values().collect(),
            _ => return Some(1),
        };
        (level < MAX_JSON_LEVELS).then_some(())?;
        inner.into_iter().try_fold(1, |sum, value| Some(sum + size(value, level + 1)?))
    }
    match size(value, 0) {
        Some(size) if size <= MAX_JSON_VALUES => Ok(()),
        _ => Err(Error::bad_input(
            "contains",
            format!("a JSON value in a filter can have at most {MAX_JSON_VALUES} values and {MAX_JSON_LEVELS} levels"),
        )),
    }
}
