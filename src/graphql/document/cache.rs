//! The text of a document and what it was parsed to. Those that fitted the schema are kept: clients send few texts, and
//! each of them often. `benches/inside/micro.rs` shows what that is worth.

use std::{
    collections::{HashMap, HashSet, VecDeque},
    sync::{Arc, Mutex, OnceLock, PoisonError},
};

use async_graphql::{
    Name, Pos, Positioned,
    parser::types::{ExecutableDocument, FragmentDefinition, Selection, SelectionSet},
};
use hashlink::LruCache;

/// Bytes of text that are kept at most; what a text is parsed to takes some twenty times as much.
const MOST_BYTES: usize = 256 << 10;
/// What the shortest text is counted for: much of what it is parsed to does not depend on its length.
const ENTRY: usize = 100;
/// A text longer than this is not kept: it would push out many others.
const LONGEST: usize = 16 << 10;

/// A document within the limits that do not depend on its variables.
#[derive(Debug)]
pub struct Source {
    pub text: Arc<str>,
    pub parsed: ExecutableDocument,
    /// Whether it is without directives, and no object is asked twice for other objects or lists under one name: then
    /// each list of the answer comes from one field.
    pub plain: bool,
    not_null: OnceLock<HashSet<Pos>>,
}

impl Source {
    pub fn new(text: &str, parsed: ExecutableDocument) -> Self {
        let plain = is_plain(&parsed);
        Self { text: text.into(), parsed, plain, not_null: OnceLock::new() }
    }

    /// The definitions of variables that must not be null although their types allow it; none until the document is known
    /// to fit the schema.
    pub fn not_null(&self) -> Option<&HashSet<Pos>> {
        self.not_null.get()
    }
}

/// The documents that fitted the schema, as far as there is room; those that were not asked for the longest go first.
pub struct Sources(Mutex<Kept>);

struct Kept {
    documents: LruCache<Arc<str>, Arc<Source>>,
    bytes: usize,
}

impl Default for Sources {
    fn default() -> Self {
        Self(Mutex::new(Kept { documents: LruCache::new_unbounded(), bytes: 0 }))
    }
}

impl std::fmt::Debug for Sources {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Sources").finish_non_exhaustive()
    }
}

impl Sources {
    pub fn find(&self, text: &str) -> Option<Arc<Source>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).documents.get(text).cloned()
    }

    /// Keeps a document that fits the schema whatever its variables are.
    pub fn keep(&self, source: &Arc<Source>, not_null: HashSet<Pos>) {
        if source.not_null.set(not_null).is_err() || source.text.len() > LONGEST {
            return;
        }
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.documents.insert(Arc::clone(&source.text), Arc::clone(source)).is_none() {
            kept.bytes += source.text.len() + ENTRY;
        }
        while kept.bytes > MOST_BYTES {
            let Some((text, _)) = kept.documents.remove_lru() else { break };
            kept.bytes -= text.len() + ENTRY;
        }
    }
}

/// Looks at so many selections, counted wherever fragments are spread; a larger document counts as not plain.
const MOST_SELECTIONS: usize = 500;

fn is_plain(document: &ExecutableDocument) -> bool {
    let mut walk = Walk { fragments: &document.fragments, left: MOST_SELECTIONS };
    document.operations.iter().all(|(_, operation)| walk.is_plain([&operation.node.selection_set.node].into()))
}

struct Walk<'a> {
    fragments: &'a HashMap<Name, Positioned<FragmentDefinition>>,
    left: usize,
}

impl<'a> Walk<'a> {
    /// Whether what is selected from one object by these sets is plain.
    fn is_plain(&mut self, mut sets: VecDeque<&'a SelectionSet>) -> bool {
        let mut keys = HashSet::new();
        while let Some(set) = sets.pop_front() {
            for selection in &set.items {
                let Some(left) = self.left.checked_sub(1) else { return false };
                self.left = left;
                if !selection.node.directives().is_empty() {
                    return false;
                }
                match &selection.node {
                    Selection::Field(field) => {
                        let below = &field.node.selection_set.node;
                        let plain = below.items.is_empty()
                            || keys.insert(&field.node.response_key().node) && self.is_plain([below].into());
                        if !plain {
                            return false;
                        }
                    }
                    Selection::InlineFragment(fragment) => sets.push_back(&fragment.node.selection_set.node),
                    Selection::FragmentSpread(spread) => match self.fragments.get(&spread.node.fragment_name.node) {
                        Some(fragment) => sets.push_back(&fragment.node.selection_set.node),
                        None => return false,
                    },
                }
            }
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use async_graphql::parser::parse_query;

    use super::*;

    fn source(text: &str) -> Arc<Source> {
        Arc::new(Source::new(text, parse_query(text).expect("GraphQL")))
    }

    #[test]
    fn a_document_is_plain_when_each_list_of_the_answer_comes_from_one_field() {
        for (text, plain) in [
            ("{ users { nodes { id a: id } } }", true),
            ("query($n: Int) { a: users(first: $n) { nodes { id } } b: users { nodes { id } } }", true),
            ("{ users { nodes { id } nodes { username } } }", false),
            ("{ a: users { nodes { id } } a: users { nodes { id } } }", false),
            ("{ users { nodes { id @include(if: true) } } }", false),
            ("{ users { ... { nodes { id } } } }", true),
            ("{ users { ...F } } fragment F on UserConnection { nodes { id } }", true),
            ("{ users { ...F nodes { id } } } fragment F on UserConnection { nodes { id } }", false),
            ("{ users { nodes { ...F id } } } fragment F on User { id username }", true),
            ("{ users { nodes { ...F } } } fragment F on User { id @skip(if: false) }", false),
            ("{ users { nodes { ...F } } } fragment F on User { ...F }", false),
            ("query A { me { id } } query B { me { id id } }", true),
        ] {
            assert_eq!(source(text).plain, plain, "{text}");
        }
    }

    #[test]
    fn documents_are_kept_up_to_a_number_of_bytes() {
        let sources = Sources::default();
        let text = |n: usize| format!("{{ f{n} }}#{}", "x".repeat(10_000));
        for n in 0..40 {
            sources.keep(&source(&text(n)), HashSet::new());
        }
        assert!(sources.find(&text(0)).is_none());
        assert!(sources.find(&text(39)).is_some_and(|source| source.not_null().is_some()));
        for n in 0..10_000 {
            sources.keep(&source(&format!("{{f{n}}}")), HashSet::new());
        }
        let kept = sources.0.lock().expect("no panic");
        assert!(kept.bytes <= MOST_BYTES && kept.documents.len() < 3_000, "short ones are not kept in any number");
        drop(kept);
        let long = format!("{{ f }}#{}", "x".repeat(LONGEST));
        sources.keep(&source(&long), HashSet::new());
        assert!(sources.find(&long).is_none());
    }
}
