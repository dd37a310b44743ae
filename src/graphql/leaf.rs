//! The quick way through lists: where only plain fields of the rows are selected, the list is written as JSON text at once,
//! without a future and a value for each field. Whatever it does not know goes the ordinary way. See decision 004;
//! `benches/micro.rs` shows what it is worth.

use std::{
    borrow::Cow,
    collections::{HashMap, HashSet},
    sync::Arc,
};

use async_graphql::{
    ContextSelectionSet, OutputType, Positioned, ServerResult, Value,
    parser::types::{Field, Selection, SelectionSet},
    registry::Registry,
    resolver_utils::resolve_list,
};

use super::{
    connection::{Edge, Listed, write_cursor},
    context::RequestContext,
    json::Json,
};
use crate::{
    auth::Principal,
    db::page::Order,
    error::Result,
    model::{User, UserId},
};

/// How a field of a row is written.
pub type Leaf<T> = fn(&T, &mut Json);

/// A type with fields that can be written at once: no argument, nothing to load.
pub trait Leaves: OutputType {
    /// How the field is written for this caller; `None` sends the whole list the ordinary way.
    fn leaf(field: &str, caller: &Principal) -> Option<Leaf<Self>>
    where
        Self: Sized;

    /// For types with a field `user`: whose the row is.
    fn owner(&self) -> Option<UserId> {
        None
    }

    /// Whether there is a field `user`.
    const HAS_OWNER: bool = false;
}

/// The rows of a page.
pub struct Nodes<'a, T>(pub &'a [T]);

/// The rows of a page with their cursors.
pub struct Edges<'a, T>(pub &'a [T], pub Order);

/// The selections of one object, fragments put in, by their names in the answer.
struct Selected<'a> {
    fields: Vec<(String, &'a Field)>,
}

impl<'a> Selected<'a> {
    /// `None` when something goes the ordinary way: the document is not [plain](super::source::Source::plain), or a field
    /// has arguments.
    fn of(ctx: &ContextSelectionSet<'a>, set: &'a SelectionSet, ty: &str) -> Option<Self> {
        let mut selected = Self { fields: Vec::with_capacity(set.items.len()) };
        selected.add(ctx, set, ty, &mut HashSet::new())?;
        Some(selected)
    }

    fn add(
        &mut self,
        ctx: &ContextSelectionSet<'a>,
        set: &'a SelectionSet,
        ty: &str,
        seen: &mut HashSet<&'a str>,
    ) -> Option<()> {
        for selection in &set.items {
            let (on, below) = match &selection.node {
                Selection::Field(field) if field.node.arguments.is_empty() && field.node.directives.is_empty() => {
                    let key = field.node.response_key().node.as_str();
                    if seen.insert(key) {
                        self.fields.push((format!("\"{key}\":"), &field.node));
                    }
                    continue;
                }
                Selection::Field(_) => return None,
                Selection::InlineFragment(fragment) => {
                    (fragment.node.type_condition.as_ref(), &fragment.node.selection_set.node)
                }
                Selection::FragmentSpread(spread) => {
                    let fragment = ctx.query_env.fragments.get(&spread.node.fragment_name.node)?;
                    (Some(&fragment.node.type_condition), &fragment.node.selection_set.node)
                }
            };
            // Whether another type includes this one is for the library to say.
            if on.is_some_and(|on| on.node.on.node != ty) {
                return None;
            }
            self.add(ctx, below, ty, seen)?;
        }
        Some(())
    }

    /// `{..}`, each field written by its part of the plan.
    fn write<P>(&self, json: &mut Json, parts: &[P], mut write: impl FnMut(&mut Json, &P)) {
        for (at, ((key, _), part)) in self.fields.iter().zip(parts).enumerate() {
            json.raw(if at == 0 { "{" } else { "," });
            json.raw(key);
            write(json, part);
        }
        json.raw("}");
    }
}

/// How the rows of a list are written.
struct Plan<'a, T> {
    selected: Selected<'a>,
    parts: Vec<Part<'a, T>>,
}

enum Part<'a, T> {
    TypeName,
    Leaf(Leaf<T>),
    /// The field `user`.
    Owner(Plan<'a, User>),
}

type Owners = HashMap<UserId, Option<Arc<User>>>;

impl<'a, T: Leaves> Plan<'a, T> {
    fn of(ctx: &ContextSelectionSet<'a>, set: &'a SelectionSet, caller: &Principal) -> Option<Self> {
        let selected = Selected::of(ctx, set, &T::type_name())?;
        let part = |(_, field): &(String, &'a Field)| {
            let below = &field.selection_set.node;
            match field.name.node.as_str() {
                "user" if T::HAS_OWNER => Some(Part::Owner(Plan::of(ctx, below, caller)?)),
                "__typename" => Some(Part::TypeName),
                name => T::leaf(name, caller).map(Part::Leaf),
            }
        };
        let parts = selected.fields.iter().map(part).collect::<Option<_>>()?;
        Some(Self { selected, parts })
    }

    /// Whom the rows belong to, if that is asked for.
    async fn owners(&self, request: &RequestContext, rows: &[T]) -> Result<Owners> {
        if !self.parts.iter().any(|part| matches!(part, Part::Owner(_))) {
            return Ok(Owners::new());
        }
        let ids: HashSet<UserId> = rows.iter().filter_map(Leaves::owner).collect();
        let ids: Vec<UserId> = ids.into_iter().collect();
        let users = request.loaders.users.load_many(ids.iter().map(|id| (*id).into()).collect()).await?;
        Ok(ids.into_iter().zip(users).collect())
    }

    fn write(&self, json: &mut Json, row: &T, owners: &Owners) {
        self.selected.write(json, &self.parts, |json, part| match part {
            Part::TypeName => json.text(&T::type_name()),
            Part::Leaf(write) => write(row, json),
            Part::Owner(plan) => {
                let owner = row.owner().and_then(|id| owners.get(&id)).and_then(Option::as_deref);
                json.or_null(owner, |json, user| plan.write(json, user, &Owners::new()));
            }
        });
    }
}

/// Whether an answer may be written as text here.
fn quick<'a>(ctx: &ContextSelectionSet<'a>) -> Option<&'a RequestContext> {
    let request = ctx.data_unchecked::<Arc<RequestContext>>();
    request.plain.then_some(&**request)
}

impl<T: Leaves + Sync> Nodes<'_, T> {
    async fn at_once(&self, ctx: &ContextSelectionSet<'_>) -> Option<Value> {
        let request = quick(ctx)?;
        let plan = Plan::<T>::of(ctx, &ctx.item.node, request.principal())?;
        // What goes wrong is said by the ordinary way, which asks again.
        let owners = plan.owners(request, self.0).await.ok()?;
        let mut json = Json::default();
        json.list(self.0, |json, row| plan.write(json, row, &owners));
        Some(json.into_value())
    }
}

impl<T: Leaves + Sync> OutputType for Nodes<'_, T> {
    fn type_name() -> Cow<'static, str> {
        Vec::<T>::type_name()
    }

    fn qualified_type_name() -> String {
        Vec::<T>::qualified_type_name()
    }

    fn create_type_info(registry: &mut Registry) -> String {
        Vec::<T>::create_type_info(registry)
    }

    async fn resolve(&self, ctx: &ContextSelectionSet<'_>, field: &Positioned<Field>) -> ServerResult<Value> {
        match self.at_once(ctx).await {
            Some(list) => Ok(list),
            None => resolve_list(ctx, field, self.0, Some(self.0.len())).await,
        }
    }
}

/// A part of an edge.
enum EdgePart<'a, T> {
    TypeName,
    Cursor,
    Node(Plan<'a, T>),
}

impl<T: Listed> Edges<'_, T> {
    async fn at_once<'a>(&self, ctx: &ContextSelectionSet<'a>) -> Option<Value> {
        let request = quick(ctx)?;
        let edge_type = Edge::<T>::type_name();
        let selected = Selected::of(ctx, &ctx.item.node, &edge_type)?;
        let part = |(_, field): &(String, &'a Field)| match field.name.node.as_str() {
            "__typename" => Some(EdgePart::TypeName),
            "cursor" => Some(EdgePart::Cursor),
            "node" => Plan::of(ctx, &field.selection_set.node, request.principal()).map(EdgePart::Node),
            _ => None,
        };
        let parts: Vec<_> = selected.fields.iter().map(part).collect::<Option<_>>()?;
        let mut owners = Owners::new();
        for part in &parts {
            if let EdgePart::Node(plan) = part {
                owners.extend(plan.owners(request, self.0).await.ok()?);
            }
        }
        let mut json = Json::default();
        json.list(self.0, |json, row| {
            selected.write(json, &parts, |json, part| match part {
                EdgePart::TypeName => json.text(&edge_type),
                EdgePart::Cursor => write_cursor(json, row, self.1),
                EdgePart::Node(plan) => plan.write(json, row, &owners),
            });
        });
        Some(json.into_value())
    }
}

impl<T: Listed> OutputType for Edges<'_, T> {
    fn type_name() -> Cow<'static, str> {
        Vec::<Edge<'static, T>>::type_name()
    }

    fn qualified_type_name() -> String {
        Vec::<Edge<'static, T>>::qualified_type_name()
    }

    fn create_type_info(registry: &mut Registry) -> String {
        Vec::<Edge<'static, T>>::create_type_info(registry)
    }

    async fn resolve(&self, ctx: &ContextSelectionSet<'_>, field: &Positioned<Field>) -> ServerResult<Value> {
        match self.at_once(ctx).await {
            Some(list) => Ok(list),
            None => {
                let edges = self.0.iter().map(|row| Edge(row, self.1));
                resolve_list(ctx, field, edges, Some(self.0.len())).await
            }
        }
    }
}
