//! `__typename` under a condition. The library validates no directive there, and says that a variable which stands
//! nowhere else is not used: a fragment around the field takes the directives, which means the same.

use async_graphql::{
    Positioned,
    parser::types::{ExecutableDocument, InlineFragment, Selection, SelectionSet},
};

/// Moves directives from every `__typename` to a fragment around it.
pub fn wrap(document: &mut ExecutableDocument) {
    use async_graphql::parser::types::DocumentOperations::{Multiple, Single};
    match &mut document.operations {
        Single(operation) => in_set(&mut operation.node.selection_set.node),
        Multiple(operations) => {
            for operation in operations.values_mut() {
                in_set(&mut operation.node.selection_set.node);
            }
        }
    }
    for fragment in document.fragments.values_mut() {
        in_set(&mut fragment.node.selection_set.node);
    }
}

fn in_set(set: &mut SelectionSet) {
    for selection in &mut set.items {
        let pos = selection.pos;
        let directives = match &mut selection.node {
            Selection::Field(field) if field.node.name.node == "__typename" => {
                std::mem::take(&mut field.node.directives)
            }
            Selection::Field(field) => {
                in_set(&mut field.node.selection_set.node);
                continue;
            }
            Selection::InlineFragment(fragment) => {
                in_set(&mut fragment.node.selection_set.node);
                continue;
            }
            Selection::FragmentSpread(_) => continue,
        };
        if !directives.is_empty() {
            let items = vec![selection.clone()];
            let selection_set = Positioned::new(SelectionSet { items }, pos);
            let fragment = InlineFragment { type_condition: None, directives, selection_set };
            selection.node = Selection::InlineFragment(Positioned::new(fragment, pos));
        }
    }
}
