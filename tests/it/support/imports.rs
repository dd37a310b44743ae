//! What each file of a crate imports: the `use` trees and paths of a source, resolved to modules, files and crates.
//!
//! Sources are parsed (crate `syn`), so that grouped, renamed and relative imports count like any other. Paths inside macro
//! calls count too: they are read from the tokens. Code under `#[cfg(test)]` is left out.

use std::collections::{BTreeMap, BTreeSet};

use proc_macro2::{TokenStream, TokenTree};
use quote::ToTokens;
use syn::{Item, UseTree, visit_mut::VisitMut};

/// The files of a crate by their module paths; the root is the empty path.
#[derive(Debug, Default)]
pub struct Crate {
    modules: BTreeMap<Path, Module>,
}

/// A path of a module or an item, without the leading `crate`.
pub type Path = Vec<String>;

#[derive(Debug, Default)]
struct Module {
    file: String,
    /// Names that `use` brings into the file, each with the path that it stands for.
    names: BTreeMap<String, Path>,
    /// Public names that another file of the crate defines.
    reexports: BTreeMap<String, Path>,
    /// Every path from the crate's root that the file names.
    internal: BTreeSet<Path>,
    /// Every other crate that the file names.
    external: BTreeSet<String>,
}

impl Crate {
    /// Parses the sources: pairs of a file's path below `src` and its text.
    pub fn parse<'a>(sources: impl IntoIterator<Item = (&'a str, &'a str)>) -> Self {
        let module = |(file, text)| (module_path(file), Module::parse(file, module_path(file), text));
        Self { modules: sources.into_iter().map(module).collect() }
    }

    /// For each file, the first segments of the paths that it names in the crate: the layers that it depends on.
    pub fn layers_of(&self) -> impl Iterator<Item = (&str, BTreeSet<&str>)> {
        self.modules.values().map(|module| {
            let paths = module.internal.iter().chain(module.reexports.values());
            (module.file.as_str(), paths.filter_map(|path| path.first()).map(String::as_str).collect())
        })
    }

    /// For each file, the other crates that it names.
    pub fn crates_of(&self) -> impl Iterator<Item = (&str, &BTreeSet<String>)> {
        self.modules.values().map(|module| (module.file.as_str(), &module.external))
    }

    /// For each file, the files that define what it uses. A re-export is no use.
    pub fn dependencies(&self) -> BTreeMap<&str, BTreeSet<&str>> {
        let definers = |module: &Module| {
            let files = module.internal.iter().filter_map(|path| self.definer(path, 0));
            files.filter(|file| *file != module.file).collect::<BTreeSet<_>>()
        };
        self.modules.values().map(|module| (module.file.as_str(), definers(module))).collect()
    }

    /// The groups of files that depend on each other in a circle.
    pub fn cycles(&self) -> Vec<BTreeSet<&str>> {
        let edges = self.dependencies();
        let reach: BTreeMap<&str, BTreeSet<&str>> = edges.keys().map(|file| (*file, reachable(&edges, file))).collect();
        let mut cycles: Vec<BTreeSet<&str>> = Vec::new();
        for (file, reached) in &reach {
            if reached.contains(file) && !cycles.iter().any(|cycle| cycle.contains(file)) {
                cycles.push(reached.iter().copied().filter(|other| reach[other].contains(file)).collect());
            }
        }
        cycles
    }

    /// The file that defines what a path names; a re-export leads to the file behind it. None when the path names a module
    /// as a whole: importing a module's name uses nothing of it yet.
    fn definer(&self, path: &[String], depth: usize) -> Option<&str> {
        let length = (0..=path.len()).rev().find(|length| self.modules.contains_key(&path[..*length]))?;
        let module = &self.modules[&path[..length]];
        let rest = &path[length..];
        let name = rest.first()?;
        match module.reexports.get(name) {
            Some(target) if depth < 8 => {
                let target: Path = target.iter().chain(&rest[1..]).cloned().collect();
                self.definer(&target, depth + 1)
            }
            _ => Some(&module.file),
        }
    }
}

fn reachable<'a>(edges: &BTreeMap<&'a str, BTreeSet<&'a str>>, start: &str) -> BTreeSet<&'a str> {
    let mut reached = BTreeSet::new();
    let mut open: Vec<&str> = edges[start].iter().copied().collect();
    while let Some(file) = open.pop() {
        if reached.insert(file) {
            open.extend(edges.get(file).into_iter().flatten());
        }
    }
    reached
}

/// `db/query/mod.rs` is `db::query`; the program is a module of its own beside the library.
fn module_path(file: &str) -> Path {
    let path = file.trim_end_matches(".rs").trim_end_matches("mod").trim_end_matches('/');
    if matches!(path, "lib" | "") { Vec::new() } else { path.split('/').map(str::to_owned).collect() }
}

impl Module {
    fn parse(file: &str, path: Path, text: &str) -> Self {
        let mut source = syn::parse_file(text).unwrap_or_else(|error| panic!("{file}: {error}"));
        let is_module = |item: &Item| if let Item::Mod(item) = item { Some(item.ident.to_string()) } else { None };
        let children = source.items.iter().filter_map(is_module).collect();
        let mut reader = Reader { module: Self { file: file.to_owned(), ..Self::default() }, path, children };
        reader.visit_file_mut(&mut source);
        reader.paths(source.into_token_stream());
        reader.module
    }
}

/// Reads a file: takes out of it what is compiled for tests only, then the `use` items, then inline modules, and reads the
/// paths of what remains.
struct Reader {
    module: Module,
    /// Where the code stands that is being read: the file's module, or an inline module of it.
    path: Path,
    /// The modules that the file declares.
    children: BTreeSet<String>,
}

impl VisitMut for Reader {
    fn visit_item_mut(&mut self, item: &mut Item) {
        match item {
            item if is_test(item) => *item = Item::Verbatim(TokenStream::new()),
            Item::Use(import) => {
                self.import(import);
                *item = Item::Verbatim(TokenStream::new());
            }
            Item::Mod(inline) if inline.content.is_some() => {
                let outer = self.path.clone();
                self.path.push(inline.ident.to_string());
                syn::visit_mut::visit_item_mod_mut(self, inline);
                self.paths(
                    inline
                        .content
                        .take()
                        .into_iter()
                        .flat_map(|(_, items)| items)
                        .map(Item::into_token_stream)
                        .collect(),
                );
                self.path = outer;
                *item = Item::Verbatim(TokenStream::new());
            }
            item => syn::visit_mut::visit_item_mut(self, item),
        }
    }
}

impl Reader {
    fn import(&mut self, import: &syn::ItemUse) {
        let is_public = !matches!(import.vis, syn::Visibility::Inherited);
        let mut leaves = Vec::new();
        flatten(&import.tree, Vec::new(), &mut leaves);
        for (path, name) in leaves {
            let Some(path) = self.absolute(&path) else {
                self.module.external.insert(path[0].clone());
                self.module.names.insert(name, path);
                continue;
            };
            if is_public {
                self.module.reexports.insert(name.clone(), path.clone());
            } else {
                self.module.internal.insert(path.clone());
            }
            self.module.names.insert(name, path);
        }
    }

    /// Every `a::b::c` of the code, also inside macro calls.
    fn paths(&mut self, tokens: TokenStream) {
        let tokens: Vec<TokenTree> = tokens.into_iter().collect();
        let mut at = 0;
        while at < tokens.len() {
            match &tokens[at] {
                TokenTree::Group(group) => {
                    self.paths(group.stream());
                    at += 1;
                }
                TokenTree::Ident(_) => {
                    let (path, after) = path_at(&tokens, at);
                    if path.len() > 1 {
                        self.path(&path);
                    }
                    at = after;
                }
                _ => at += 1,
            }
        }
    }

    fn path(&mut self, path: &[String]) {
        if let Some(known) = self.module.names.get(&path[0]) {
            if !known.first().is_some_and(|name| self.module.external.contains(name)) {
                let path = known.iter().chain(&path[1..]).cloned().collect();
                self.module.internal.insert(path);
            }
        } else if let Some(path) = self.absolute(path) {
            self.module.internal.insert(path);
        } else if path[0].starts_with(|letter: char| letter.is_lowercase()) {
            self.module.external.insert(path[0].clone());
        }
    }

    /// A path from the root of the crate; none for another crate's.
    fn absolute(&self, path: &[String]) -> Option<Path> {
        match path.first()?.as_str() {
            "crate" | "guardianeye" => Some(path[1..].to_vec()),
            "self" => Some(self.path.iter().chain(&path[1..]).cloned().collect()),
            "super" => {
                let ups = path.iter().take_while(|segment| *segment == "super").count();
                let base = self.path.len().saturating_sub(ups);
                Some(self.path[..base].iter().chain(&path[ups..]).cloned().collect())
            }
            child if self.children.contains(child) => Some(self.path.iter().chain(path).cloned().collect()),
            _ => None,
        }
    }
}

/// The path that begins here, and where the tokens go on behind it.
fn path_at(tokens: &[TokenTree], start: usize) -> (Path, usize) {
    let mut path = Vec::new();
    let mut at = start;
    while let Some(TokenTree::Ident(segment)) = tokens.get(at) {
        path.push(segment.to_string());
        let colon = |at: usize| matches!(tokens.get(at), Some(TokenTree::Punct(mark)) if mark.as_char() == ':');
        if !(colon(at + 1) && colon(at + 2)) {
            return (path, at + 1);
        }
        at += 3;
    }
    (path, at.max(start + 1))
}

/// The leaves of a `use` tree, each with the name that it has in the file.
fn flatten(tree: &UseTree, mut prefix: Path, into: &mut Vec<(Path, String)>) {
    match tree {
        UseTree::Path(path) => {
            prefix.push(path.ident.to_string());
            flatten(&path.tree, prefix, into);
        }
        UseTree::Group(group) => group.items.iter().for_each(|tree| flatten(tree, prefix.clone(), into)),
        UseTree::Name(name) if name.ident == "self" => {
            let last = prefix.last().cloned().unwrap_or_default();
            into.push((prefix, last));
        }
        UseTree::Name(name) => {
            prefix.push(name.ident.to_string());
            into.push((prefix, name.ident.to_string()));
        }
        UseTree::Rename(rename) => {
            if rename.ident != "self" {
                prefix.push(rename.ident.to_string());
            }
            into.push((prefix, rename.rename.to_string()));
        }
        UseTree::Glob(_) => {
            prefix.push("*".to_owned());
            into.push((prefix, "*".to_owned()));
        }
    }
}

fn is_test(item: &Item) -> bool {
    let attributes = match item {
        Item::Mod(item) => &item.attrs,
        Item::Fn(item) => &item.attrs,
        Item::Use(item) => &item.attrs,
        Item::Impl(item) => &item.attrs,
        _ => return false,
    };
    attributes.iter().any(|attribute| {
        attribute.path().is_ident("cfg") && attribute.meta.to_token_stream().to_string().replace(' ', "") == "cfg(test)"
    })
}
