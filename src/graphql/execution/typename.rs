//! Directives on `__typename`. async-graphql does not validate them, and reports a variable as unused that is used only there.
//! An inline fragment around the field takes the directives instead, with the same meaning.

use async_graphql::{
    Positioned,
    parser::types::{ExecutableDocument, InlineFragment, Selection, SelectionSet},
};

/// Moves the directives of every `__typename` to an inline fragment around it.
pub fn move_directives_to_fragments(document: &mut ExecutableDocument) {
    use async_graphql::parser::types::DocumentOperations::{Multiple, Single};
    match &mut document.operations {
        Single(operation) => move_in_selection_set(&mut operation.node.selection_set.node),
        Multiple(operations) => {
            for operation in operations.values_mut() {
                move_in_selection_set(&mut operation.node.selection_set.node);
            }
        }
    }
    for fragment in document.fragments.values_mut() {
        move_in_selection_set(&mut fragment.node.selection_set.node);
    }
}

fn move_in_selection_set(set: &mut SelectionSet) {
    for selection in &mut set.items {
        let pos = selection.pos;
        let directives = match &mut selection.node {
            Selection::Field(field) if field.node.name.node == "__typename" => {
                std::mem::take(&mut field.node.directives)
            }
            Selection::Field(field) => {
                move_in_selection_set(&mut field.node.selection_set.node);
                continue;
            }
            Selection::InlineFragment(fragment) => {
                move_in_selection_set(&mut fragment.node.selection_set.node);
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
