//! Plans: made once for a list, from what is selected; then what the rows need is loaded for all of them together, and they
//! are written one after the other.

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
};

use async_graphql::{
    ContextSelectionSet, OutputType, Positioned,
    parser::types::{Field, SelectionSet},
};
use futures_util::future::{BoxFuture, try_join_all};

use super::{Leaf, Leaves, OfUsers, selected::Selected};
use crate::{
    auth::Principal,
    db::query::{ListQuery, Order, Page},
    error::Result,
    graphql::{
        connection::{self, Connection, Edge, Listed},
        execution::{Json, RequestContext},
    },
    model::{AuditLog, Session, User, UserId},
};

/// What a plan is made from.
#[derive(Clone, Copy)]
pub struct Scope<'a, 'b> {
    pub ctx: &'a ContextSelectionSet<'b>,
    pub caller: &'a Principal,
}

/// How a list is written: as `nodes`, or as `edges`.
pub struct Rows<'a, T> {
    edge: Option<(Selected<'a>, Vec<EdgePart>)>,
    row: Plan<'a, T>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum EdgePart {
    TypeName,
    Cursor,
    Node,
}

/// How a row is written.
pub struct Plan<'a, T> {
    selected: Selected<'a>,
    parts: Vec<Part<'a, T>>,
}

enum Part<'a, T> {
    TypeName,
    Leaf(Leaf<T>),
    /// The field `user`, of which only plain fields are selected.
    Owner(Plan<'a, User>),
    /// The fields `sessions` and `auditLogs` of users.
    Sessions(PagePlan<'a, Session>),
    AuditLogs(PagePlan<'a, AuditLog>),
}

/// How a connection below a row is read and written.
struct PagePlan<'a, T> {
    list_query: Arc<ListQuery>,
    selected: Selected<'a>,
    /// None is `__typename`.
    parts: Vec<Option<Rows<'a, T>>>,
}

/// What one part of a plan needs beside the rows, for all rows.
pub enum Loaded {
    Nothing,
    Owners(HashMap<UserId, Option<Arc<User>>>),
    Sessions(Pages<Session>),
    AuditLogs(Pages<AuditLog>),
}

/// A page for each row, and what the rows of these need, for each part of the connection.
pub struct Pages<T> {
    pages: Vec<Arc<Page<T>>>,
    below: Vec<Vec<Loaded>>,
}

fn below(field: &Positioned<Field>) -> &SelectionSet {
    &field.node.selection_set.node
}

impl<'a, T: Listed> Rows<'a, T> {
    pub fn of(scope: &Scope<'a, '_>, set: &'a SelectionSet, edges: bool) -> Option<Self> {
        if !edges {
            return Some(Self { edge: None, row: Plan::of(scope, set)? });
        }
        let selected = Selected::of(scope.ctx, set, &Edge::<T>::type_name())?;
        let mut row = Plan { selected: Selected { fields: Vec::new() }, parts: Vec::new() };
        let mut parts = Vec::with_capacity(selected.fields.len());
        for (_, field) in &selected.fields {
            parts.push(match field.node.name.node.as_str() {
                "__typename" => EdgePart::TypeName,
                "cursor" => EdgePart::Cursor,
                "node" if !parts.contains(&EdgePart::Node) => {
                    row = Plan::of(scope, below(field))?;
                    EdgePart::Node
                }
                _ => return None,
            });
        }
        Some(Self { edge: Some((selected, parts)), row })
    }

    /// What the rows need.
    pub fn load<'r>(&'r self, request: &'r RequestContext, rows: &'r [&'r T]) -> BoxFuture<'r, Result<Vec<Loaded>>> {
        Box::pin(try_join_all(self.row.parts.iter().map(|part| part.load(request, rows))))
    }

    /// `[..]`
    pub fn write(&self, json: &mut Json, rows: &[&T], order: Order, loaded: &[Loaded]) {
        json.list(rows.iter().enumerate(), |json, (at, row)| match &self.edge {
            None => self.row.write(json, row, at, loaded),
            Some((selected, parts)) => selected.write(json, parts, |json, _, part| match part {
                EdgePart::TypeName => json.text(&Edge::<T>::type_name()),
                EdgePart::Cursor => json.text(&connection::cursor_of(*row, order)),
                EdgePart::Node => self.row.write(json, row, at, loaded),
            }),
        });
    }
}

impl<'a, T: Leaves> Plan<'a, T> {
    fn of(scope: &Scope<'a, '_>, set: &'a SelectionSet) -> Option<Self> {
        let selected = Selected::of(scope.ctx, set, &T::type_name())?;
        let parts = selected.fields.iter().map(|(_, field)| Part::of(scope, field)).collect::<Option<_>>()?;
        Some(Self { selected, parts })
    }

    fn write(&self, json: &mut Json, row: &T, at: usize, loaded: &[Loaded]) {
        self.selected.write(json, &self.parts, |json, part_at, part| match (part, loaded.get(part_at)) {
            (Part::TypeName, _) => json.text(&T::type_name()),
            (Part::Leaf(write), _) => write(row, json),
            (Part::Owner(plan), Some(Loaded::Owners(owners))) => {
                let owner = row.owner().and_then(|id| owners.get(&id)).and_then(Option::as_deref);
                json.or_null(owner, |json, user| plan.write(json, user, 0, &[]));
            }
            (Part::Sessions(page), Some(Loaded::Sessions(pages))) => page.write(json, at, pages),
            (Part::AuditLogs(page), Some(Loaded::AuditLogs(pages))) => page.write(json, at, pages),
            // `load` gives each part its own.
            _ => json.null(),
        });
    }
}

impl<'a, T: Leaves> Part<'a, T> {
    fn of(scope: &Scope<'a, '_>, field: &'a Positioned<Field>) -> Option<Self> {
        match field.node.name.node.as_str() {
            "sessions" if T::is_parent(scope.caller) => Some(Self::Sessions(PagePlan::of(scope, field)?)),
            "auditLogs" if T::is_parent(scope.caller) => Some(Self::AuditLogs(PagePlan::of(scope, field)?)),
            _ if !field.node.arguments.is_empty() => None,
            "user" if T::HAS_OWNER => {
                let plan = Plan::of(scope, below(field))?;
                plan.parts
                    .iter()
                    .all(|part| matches!(part, Part::TypeName | Part::Leaf(_)))
                    .then_some(Self::Owner(plan))
            }
            "__typename" => Some(Self::TypeName),
            name => T::leaf(name, scope.caller).map(Self::Leaf),
        }
    }

    async fn load(&self, request: &RequestContext, rows: &[&T]) -> Result<Loaded> {
        let parents = || rows.iter().filter_map(|row| row.as_parent()).collect::<Vec<_>>();
        Ok(match self {
            Self::TypeName | Self::Leaf(_) => Loaded::Nothing,
            Self::Owner(_) => {
                let ids: HashSet<UserId> = rows.iter().filter_map(|row| row.owner()).collect();
                let ids: Vec<UserId> = ids.into_iter().collect();
                let keys = ids.iter().map(|id| (*id).into()).collect();
                let users = request.loaders.users.load_many(keys).await?;
                Loaded::Owners(ids.into_iter().zip(users).collect())
            }
            Self::Sessions(page) => Loaded::Sessions(page.load(request, &parents()).await?),
            Self::AuditLogs(page) => Loaded::AuditLogs(page.load(request, &parents()).await?),
        })
    }
}

impl<'a, T: OfUsers> PagePlan<'a, T> {
    fn of(scope: &Scope<'a, '_>, field: &'a Positioned<Field>) -> Option<Self> {
        let ctx = scope.ctx.with_field(field);
        let list_query = Arc::new(connection::list_query::<T>(&ctx).ok()?);
        let selected = Selected::of(scope.ctx, below(field), &Connection::<T>::type_name())?;
        let part = |(_, field): &(String, &'a Positioned<Field>)| match field.node.name.node.as_str() {
            "__typename" => Some(None),
            "nodes" => Rows::of(scope, below(field), false).map(Some),
            "edges" => Rows::of(scope, below(field), true).map(Some),
            _ => None,
        };
        let parts = selected.fields.iter().map(part).collect::<Option<_>>()?;
        Some(Self { list_query, selected, parts })
    }

    async fn load(&self, request: &RequestContext, parents: &[UserId]) -> Result<Pages<T>> {
        let pages = T::fetch_each(request, parents, &self.list_query).await?;
        let rows: Vec<&T> = pages.iter().flat_map(|page| &page.rows).collect();
        let mut below = Vec::with_capacity(self.parts.len());
        for part in &self.parts {
            below.push(match part {
                Some(part) => part.load(request, &rows).await?,
                None => Vec::new(),
            });
        }
        drop(rows);
        Ok(Pages { pages, below })
    }

    fn write(&self, json: &mut Json, at: usize, pages: &Pages<T>) {
        let Some(page) = pages.pages.get(at) else { return json.null() };
        let rows: Vec<&T> = page.rows.iter().collect();
        self.selected.write(json, &self.parts, |json, part_at, part| match part {
            Some(part) => part.write(json, &rows, self.list_query.page.order, &pages.below[part_at]),
            None => json.text(&Connection::<T>::type_name()),
        });
    }
}
