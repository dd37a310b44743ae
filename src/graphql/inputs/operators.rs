//! The operators that a field of a filter takes, by the kind of its value. Several operators in one object all have to
//! hold. A null operator is refused: a variable that was forgotten must not widen what is found.

use async_graphql::{ID, InputObject, MaybeUndefined};

use super::Budget;
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

/// Tests of a text. `eq` and `in` compare to the letter; `contains` and `startsWith` take ASCII letters without regard
/// to case, and `%`, `_` and `\` for what they are.
#[derive(InputObject)]
pub struct TextFilter {
    /// Is this text.
    pub(super) eq: MaybeUndefined<String>,
    /// Is one of these texts; none for an empty list.
    pub(super) r#in: MaybeUndefined<Vec<String>>,
    /// Holds this text.
    pub(super) contains: MaybeUndefined<String>,
    /// Begins with this text.
    pub(super) starts_with: MaybeUndefined<String>,
    /// Is absent, or is present.
    pub(super) is_null: MaybeUndefined<bool>,
}

/// Tests of an id.
#[derive(InputObject)]
pub struct IdFilter {
    /// Is this id.
    eq: MaybeUndefined<ID>,
    /// Is one of these ids; none for an empty list.
    r#in: MaybeUndefined<Vec<ID>>,
    /// Is none of these ids; an absent value is none of them.
    not_in: MaybeUndefined<Vec<ID>>,
    /// Is absent, or is present.
    is_null: MaybeUndefined<bool>,
}

/// Tests of a role.
#[derive(InputObject)]
pub struct RoleFilter {
    /// Is this role.
    eq: MaybeUndefined<Role>,
    /// Is one of these roles; none for an empty list.
    r#in: MaybeUndefined<Vec<Role>>,
    /// Is none of these roles.
    not_in: MaybeUndefined<Vec<Role>>,
}

/// Tests of an action.
#[derive(InputObject)]
pub struct AuditActionFilter {
    /// Is this action.
    eq: MaybeUndefined<AuditAction>,
    /// Is one of these actions; none for an empty list.
    r#in: MaybeUndefined<Vec<AuditAction>>,
    /// Is none of these actions.
    not_in: MaybeUndefined<Vec<AuditAction>>,
}

/// Tests of a time.
#[derive(InputObject)]
pub struct DateTimeFilter {
    /// Later than this.
    gt: MaybeUndefined<Timestamp>,
    /// At this time or later.
    gte: MaybeUndefined<Timestamp>,
    /// Earlier than this.
    lt: MaybeUndefined<Timestamp>,
    /// At this time or earlier.
    lte: MaybeUndefined<Timestamp>,
    /// Is absent ("never", "not yet"), or is present.
    is_null: MaybeUndefined<bool>,
}

/// Tests of a JSON value.
#[derive(InputObject)]
pub struct JsonFilter {
    /// Holds this value: an object each of its fields, an array each of its elements in any order, as `jsonb @>` does.
    /// At most 50 values in all.
    contains: MaybeUndefined<RawJson>,
    /// Is absent, or is present.
    is_null: MaybeUndefined<bool>,
}

/// Something with operators.
pub trait Operators {
    /// Adds a predicate of the column for each operator that is given.
    fn add(self, column: Column, budget: &mut Budget, parts: &mut Vec<Filter>) -> Result<()>;
}

impl Budget {
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
    pub(super) fn truth(&mut self, column: Column, value: Option<bool>, parts: &mut Vec<Filter>) -> Result<()> {
        if let Some(value) = value {
            self.test()?;
            parts.push(Filter::Column(column, Predicate::IsTrue(value)));
        }
        Ok(())
    }

    /// One operator's value, if it is given.
    pub(super) fn operator<T>(&mut self, name: &'static str, value: MaybeUndefined<T>) -> Result<Option<T>> {
        match value {
            MaybeUndefined::Undefined => Ok(None),
            MaybeUndefined::Null => Err(Error::bad_input(
                name,
                "an operator is not null: leave it out, or use isNull to find what is absent",
            )),
            MaybeUndefined::Value(value) => {
                self.test()?;
                Ok(Some(value))
            }
        }
    }

    /// One operator's list, if it is given.
    fn list<T, U>(
        &mut self,
        name: &'static str,
        values: MaybeUndefined<Vec<T>>,
        convert: impl Fn(T) -> Result<U>,
    ) -> Result<Option<Vec<U>>> {
        let Some(values) = self.operator(name, values)? else { return Ok(None) };
        self.values(values.len())?;
        values.into_iter().map(convert).collect::<Result<_>>().map(Some)
    }
}

fn not(column: Column, predicate: Predicate) -> Filter {
    Filter::Not(Box::new(Filter::Column(column, predicate)))
}

impl TextFilter {
    /// A predicate for each operator that is given.
    pub(super) fn predicates(self, budget: &mut Budget) -> Result<impl Iterator<Item = Predicate>> {
        let eq = budget.operator("eq", self.eq)?.map(Budget::text).transpose()?.map(|text| Predicate::Text(vec![text]));
        let among = budget.list("in", self.r#in, Budget::text)?.map(Predicate::Text);
        let contains =
            budget.operator("contains", self.contains)?.map(Budget::text).transpose()?.map(Predicate::Contains);
        let starts = budget.operator("startsWith", self.starts_with)?.map(Budget::text).transpose()?;
        let is_null = budget.operator("isNull", self.is_null)?.map(Predicate::IsNull);
        Ok([eq, among, contains, starts.map(Predicate::StartsWith), is_null].into_iter().flatten())
    }
}

impl Operators for TextFilter {
    fn add(self, column: Column, budget: &mut Budget, parts: &mut Vec<Filter>) -> Result<()> {
        parts.extend(self.predicates(budget)?.map(|predicate| Filter::Column(column, predicate)));
        Ok(())
    }
}

impl Operators for IdFilter {
    fn add(self, column: Column, budget: &mut Budget, parts: &mut Vec<Filter>) -> Result<()> {
        let eq = budget.operator("eq", self.eq)?.map(|id| scalars::uuid("eq", &id)).transpose()?;
        let among = budget.list("in", self.r#in, |id| scalars::uuid("in", &id))?;
        let none_of = budget.list("notIn", self.not_in, |id| scalars::uuid("notIn", &id))?;
        let is_null = budget.operator("isNull", self.is_null)?.map(Predicate::IsNull);
        let predicates = [eq.map(|id| Predicate::Id(vec![id])), among.map(Predicate::Id), is_null];
        parts.extend(predicates.into_iter().flatten().map(|predicate| Filter::Column(column, predicate)));
        parts.extend(none_of.map(|ids| not(column, Predicate::Id(ids))));
        Ok(())
    }
}

impl Operators for RoleFilter {
    fn add(self, column: Column, budget: &mut Budget, parts: &mut Vec<Filter>) -> Result<()> {
        let role = |role| Ok(model::Role::from(role));
        let eq = budget.operator("eq", self.eq)?.map(|role| Predicate::Role(vec![role.into()]));
        let among = budget.list("in", self.r#in, role)?.map(Predicate::Role);
        let none_of = budget.list("notIn", self.not_in, role)?;
        parts.extend([eq, among].into_iter().flatten().map(|predicate| Filter::Column(column, predicate)));
        parts.extend(none_of.map(|roles| not(column, Predicate::Role(roles))));
        Ok(())
    }
}

impl Operators for AuditActionFilter {
    fn add(self, column: Column, budget: &mut Budget, parts: &mut Vec<Filter>) -> Result<()> {
        let action = |action| Ok(model::AuditAction::from(action));
        let eq = budget.operator("eq", self.eq)?.map(|action| Predicate::Action(vec![action.into()]));
        let among = budget.list("in", self.r#in, action)?.map(Predicate::Action);
        let none_of = budget.list("notIn", self.not_in, action)?;
        parts.extend([eq, among].into_iter().flatten().map(|predicate| Filter::Column(column, predicate)));
        parts.extend(none_of.map(|actions| not(column, Predicate::Action(actions))));
        Ok(())
    }
}

impl Operators for DateTimeFilter {
    fn add(self, column: Column, budget: &mut Budget, parts: &mut Vec<Filter>) -> Result<()> {
        for (name, value, order) in [
            ("gt", self.gt, TimeComparison::After),
            ("gte", self.gte, TimeComparison::AtOrAfter),
            ("lt", self.lt, TimeComparison::Before),
            ("lte", self.lte, TimeComparison::AtOrBefore),
        ] {
            let predicate = budget.operator(name, value)?.map(|at| Predicate::Time(order, at));
            parts.extend(predicate.map(|predicate| Filter::Column(column, predicate)));
        }
        let is_null = budget.operator("isNull", self.is_null)?.map(Predicate::IsNull);
        parts.extend(is_null.map(|predicate| Filter::Column(column, predicate)));
        Ok(())
    }
}

impl Operators for JsonFilter {
    fn add(self, column: Column, budget: &mut Budget, parts: &mut Vec<Filter>) -> Result<()> {
        if let Some(RawJson(text)) = budget.operator("contains", self.contains)? {
            let value = json::read("contains", text.as_bytes())?;
            check_json(&value)?;
            parts.push(Filter::Column(column, Predicate::JsonContains(value)));
        }
        let is_null = budget.operator("isNull", self.is_null)?.map(Predicate::IsNull);
        parts.extend(is_null.map(|predicate| Filter::Column(column, predicate)));
        Ok(())
    }
}

/// A JSON value to look for becomes part of the statement on SQLite, so it is small.
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
            format!("at most {MAX_JSON_VALUES} values and {MAX_JSON_LEVELS} levels in a JSON value to look for"),
        )),
    }
}
