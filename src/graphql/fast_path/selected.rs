//! The selected fields of one object, in a document without directives, with fragments inlined. It must not interpret the
//! fields.

use std::collections::HashSet;

use async_graphql::{
    ContextSelectionSet, Positioned,
    parser::types::{Field, Selection, SelectionSet},
};

use crate::graphql::execution::Json;

/// The selected fields of one object.
pub struct Selected<'a> {
    /// Each field with its response key as JSON text.
    pub fields: Vec<(String, &'a Positioned<Field>)>,
}

impl<'a> Selected<'a> {
    /// None if a fragment has another type condition: only the library knows whether it applies.
    pub fn of(ctx: &'a ContextSelectionSet<'_>, set: &'a SelectionSet, ty: &str) -> Option<Self> {
        let mut selected = Self { fields: Vec::with_capacity(set.items.len()) };
        selected.add(ctx, set, ty, &mut HashSet::new())?;
        Some(selected)
    }

    fn add(
        &mut self,
        ctx: &'a ContextSelectionSet<'_>,
        set: &'a SelectionSet,
        ty: &str,
        seen: &mut HashSet<&'a str>,
    ) -> Option<()> {
        for selection in &set.items {
            let (on, below) = match &selection.node {
                Selection::Field(field) => {
                    let key = field.node.response_key().node.as_str();
                    if seen.insert(key) {
                        self.fields.push((format!("\"{key}\":"), field));
                    }
                    continue;
                }
                Selection::InlineFragment(fragment) => {
                    (fragment.node.type_condition.as_ref(), &fragment.node.selection_set.node)
                }
                Selection::FragmentSpread(spread) => {
                    let fragment = ctx.query_env.fragments.get(&spread.node.fragment_name.node)?;
                    (Some(&fragment.node.type_condition), &fragment.node.selection_set.node)
                }
            };
            if on.is_some_and(|on| on.node.on.node != ty) {
                return None;
            }
            self.add(ctx, below, ty, seen)?;
        }
        Some(())
    }

    /// Writes `{..}`, each field by its part of a plan.
    pub fn write<P>(&self, json: &mut Json, parts: &[P], mut write: impl FnMut(&mut Json, usize, &P)) {
        json.raw("{");
        for (at, ((key, _), part)) in self.fields.iter().zip(parts).enumerate() {
            if at > 0 {
                json.raw(",");
            }
            json.raw(key);
            write(json, at, part);
        }
        json.raw("}");
    }
}
