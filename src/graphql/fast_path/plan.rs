//! Plans: a plan is made once for a list, from its selection. Then the users and pages below are read for all rows
//! together, and the rows are written one after the other.

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
};

use async_graphql::{
    Positioned,
    parser::types::{Field, SelectionSet},
};
use futures_util::future::{BoxFuture, try_join_all};

use super::selected::Selected;
use crate::{
    db::query::{ListQuery, Order, Page},
    error::{Error, Result},
    graphql::{
        execution::{Json, RequestContext},
        field::{Leaf, LoadedPages, PagePlan, Resolver, Scope},
        paging::{ConnectionNode, connection_name, cursor_of, edge_name, list_query},
    },
    model::{User, UserId},
};

/// How a list is written: as `nodes`, or as `edges`.
pub struct Rows<'a, T: 'static> {
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
struct Plan<'a, T: 'static> {
    selected: Selected<'a>,
    parts: Vec<Part<'a, T>>,
}

/// How a field of a row is written.
enum Part<'a, T: 'static> {
    TypeName,
    Id,
    Leaf(&'static Leaf<T>),
    /// A user of whom only leaf fields are selected.
    User(Plan<'a, User>, fn(&T) -> Option<UserId>),
    List(Box<dyn PagePlan + 'a>, fn(&T) -> Option<UserId>),
}

/// What a field of a row needs besides the row, for all rows.
pub enum Loaded<'r> {
    Nothing,
    Users(HashMap<UserId, Option<Arc<User>>>),
    Pages(Box<dyn LoadedPages + 'r>),
}

/// How the pages of a list field are read and written.
struct ConnectionPlan<'a, T: 'static> {
    list_query: Arc<ListQuery>,
    selected: Selected<'a>,
    /// The selected fields of the connection; none is `__typename`.
    parts: Vec<Option<Rows<'a, T>>>,
}

/// A page for each parent, and for each field of the connection what its rows need.
struct Pages<'r, T: 'static> {
    plan: &'r ConnectionPlan<'r, T>,
    of_parents: Vec<Arc<Page<T>>>,
    below: Vec<Vec<Loaded<'r>>>,
}

fn below(field: &Positioned<Field>) -> &SelectionSet {
    &field.node.selection_set.node
}

/// The plan of a list field; none if the ordinary path has to resolve the selection.
pub fn page_plan<'a, T: ConnectionNode>(
    scope: Scope<'a>,
    field: &'a Positioned<Field>,
) -> Option<Box<dyn PagePlan + 'a>> {
    let ctx = scope.ctx.with_field(field);
    let list_query = Arc::new(list_query::<T>(&ctx).ok()?);
    let selected = Selected::of(scope.ctx, below(field), &connection_name::<T>())?;
    let part = |(_, field): &(String, &'a Positioned<Field>)| match field.node.name.node.as_str() {
        "__typename" => Some(None),
        "nodes" => Rows::of(scope, below(field), false).map(Some),
        "edges" => Rows::of(scope, below(field), true).map(Some),
        _ => None,
    };
    let parts = selected.fields.iter().map(part).collect::<Option<_>>()?;
    Some(Box::new(ConnectionPlan::<T> { list_query, selected, parts }))
}

impl<'a, T: ConnectionNode> Rows<'a, T> {
    pub fn of(scope: Scope<'a>, set: &'a SelectionSet, edges: bool) -> Option<Self> {
        if !edges {
            return Some(Self { edge: None, row: Plan::of(scope, set)? });
        }
        let selected = Selected::of(scope.ctx, set, &edge_name::<T>())?;
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

    /// Reads what the rows need.
    pub fn load<'r, 'x>(
        &'r self,
        request: &'x RequestContext,
        rows: &'x [&'x T],
    ) -> BoxFuture<'x, Result<Vec<Loaded<'r>>>>
    where
        'r: 'x,
    {
        Box::pin(try_join_all(self.row.parts.iter().map(|part| part.load(request, rows))))
    }

    /// Writes `[..]`.
    pub fn write(&self, json: &mut Json, rows: &[&T], order: Order, loaded: &[Loaded<'_>]) {
        json.list(rows.iter().enumerate(), |json, (at, row)| match &self.edge {
            None => self.row.write(json, row, at, loaded),
            Some((selected, parts)) => selected.write(json, parts, |json, _, part| match part {
                EdgePart::TypeName => json.text(&edge_name::<T>()),
                EdgePart::Cursor => json.text(&cursor_of(*row, order)),
                EdgePart::Node => self.row.write(json, row, at, loaded),
            }),
        });
    }
}

impl<'a, T: ConnectionNode> Plan<'a, T> {
    fn of(scope: Scope<'a>, set: &'a SelectionSet) -> Option<Self> {
        let selected = Selected::of(scope.ctx, set, &T::type_name())?;
        let parts = selected.fields.iter().map(|(_, field)| Part::of(scope, field)).collect::<Option<_>>()?;
        Some(Self { selected, parts })
    }

    fn write(&self, json: &mut Json, row: &T, at: usize, loaded: &[Loaded<'_>]) {
        self.selected.write(json, &self.parts, |json, part_at, part| match (part, loaded.get(part_at)) {
            (Part::TypeName, _) => json.text(&T::type_name()),
            (Part::Id, _) => json.id(row.row_id()),
            (Part::Leaf(leaf), _) => leaf.value(row).write(json),
            (Part::User(plan, id), Some(Loaded::Users(users))) => {
                let user = id(row).and_then(|id| users.get(&id)).and_then(Option::as_deref);
                json.or_null(user, |json, user| plan.write(json, user, 0, &[]));
            }
            (Part::List(..), Some(Loaded::Pages(pages))) => pages.write(json, at),
            // Not reached: `load` returns the variant of the part.
            _ => json.null(),
        });
    }
}

impl<'a, T: ConnectionNode> Part<'a, T> {
    fn of(scope: Scope<'a>, field: &'a Positioned<Field>) -> Option<Self> {
        let name = field.node.name.node.as_str();
        match name {
            "__typename" => return Some(Self::TypeName),
            "id" => return Some(Self::Id),
            _ => {}
        }
        let definition = T::field(name).filter(|definition| definition.passes_for_all_owners(scope.principal))?;
        match &definition.resolver {
            Resolver::Leaf(leaf) => Some(Self::Leaf(leaf)),
            Resolver::User(id) => {
                let plan = Plan::<User>::of(scope, below(field))?;
                let only_leaves =
                    plan.parts.iter().all(|part| matches!(part, Part::TypeName | Part::Id | Part::Leaf(_)));
                only_leaves.then_some(Self::User(plan, *id))
            }
            Resolver::List(list, parent) => Some(Self::List(list.plan(scope, field)?, *parent)),
        }
    }

    async fn load<'r>(&'r self, request: &RequestContext, rows: &[&T]) -> Result<Loaded<'r>> {
        Ok(match self {
            Self::TypeName | Self::Id | Self::Leaf(_) => Loaded::Nothing,
            Self::User(_, id) => {
                let ids: HashSet<UserId> = rows.iter().filter_map(|row| id(row)).collect();
                let ids: Vec<UserId> = ids.into_iter().collect();
                let keys = ids.iter().map(|id| (*id).into()).collect();
                let users = request.loaders.users.load_many(keys).await?;
                Loaded::Users(ids.into_iter().zip(users).collect())
            }
            Self::List(plan, parent) => {
                let parents: Option<Vec<UserId>> = rows.iter().map(|row| parent(row)).collect();
                let parents = parents.ok_or_else(|| Error::internal("a row without an owner of its lists"))?;
                Loaded::Pages(plan.load(request, parents).await?)
            }
        })
    }
}

impl<T: ConnectionNode> PagePlan for ConnectionPlan<'_, T> {
    fn load<'r, 'x>(
        &'r self,
        request: &'x RequestContext,
        parents: Vec<UserId>,
    ) -> BoxFuture<'x, Result<Box<dyn LoadedPages + 'r>>>
    where
        'r: 'x,
    {
        Box::pin(async move {
            let pages = T::fetch_each(request, &parents, &self.list_query).await?;
            let rows: Vec<&T> = pages.iter().flat_map(|page| &page.rows).collect();
            let mut below = Vec::with_capacity(self.parts.len());
            for part in &self.parts {
                below.push(match part {
                    Some(part) => part.load(request, &rows).await?,
                    None => Vec::new(),
                });
            }
            drop(rows);
            Ok(Box::new(Pages { plan: self, of_parents: pages, below }) as Box<dyn LoadedPages>)
        })
    }
}

impl<T: ConnectionNode> LoadedPages for Pages<'_, T> {
    fn write(&self, json: &mut Json, parent: usize) {
        let Some(page) = self.of_parents.get(parent) else { return json.null() };
        let rows: Vec<&T> = page.rows.iter().collect();
        let order = self.plan.list_query.page.order;
        self.plan.selected.write(json, &self.plan.parts, |json, at, part| match part {
            Some(part) => part.write(json, &rows, order, &self.below[at]),
            None => json.text(&connection_name::<T>()),
        });
    }
}
