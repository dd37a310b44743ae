//! The documentation names what exists, in the terms of the glossary.

use std::path::{Path, PathBuf};

/// What a build writes into the repository.
const BUILT: &[&str] = &["target/", "web/dist", "web/screenshots"];

/// Words that `docs/glossary.md` replaces by a term of the field.
const AVOIDED: &[&str] = &[
    "anybody",
    "at once",
    "caller",
    "callers",
    "everybody",
    "goes away",
    "hole",
    "holes",
    "is told",
    "nobody",
    "patience",
    "settle",
    "somebody",
    "stands on",
    "the house",
    "who asks",
    "whoever",
    "whomever",
];

#[test]
fn paths_in_the_documentation_exist() {
    let mut checked = 0;
    let mut broken = Vec::new();
    for (file, text) in documents() {
        for code in text.split('`').skip(1).step_by(2) {
            let path = code.split([':', '#']).next().unwrap_or(code);
            let top = path.split_once('/').map_or("", |(top, _)| top);
            let is_path = !top.is_empty() && !path.contains([' ', '*']) && !path.contains("..");
            if is_path && root().join(top).is_dir() && !BUILT.iter().any(|built| path.starts_with(built)) {
                checked += 1;
                if !root().join(path).exists() {
                    broken.push(format!("{}: {path}", file.display()));
                }
            }
        }
    }
    assert!(broken.is_empty(), "{broken:#?}");
    assert!(checked > 50, "{checked}");
}

#[test]
fn links_in_the_documentation_lead_to_files_and_headings() {
    let mut broken = Vec::new();
    for (file, text) in documents() {
        for link in text.split("](").skip(1).filter_map(|rest| rest.split(')').next()) {
            let (path, heading) = link.split_once('#').unwrap_or((link, ""));
            if path.contains("://") {
                continue;
            }
            let target = if path.is_empty() { file.clone() } else { file.with_file_name(path) };
            let is_there = target.exists()
                && (heading.is_empty()
                    || std::fs::read_to_string(&target).expect("readable").lines().any(|line| anchor(line) == heading));
            if !is_there {
                broken.push(format!("{}: {link}", file.display()));
            }
        }
    }
    assert!(broken.is_empty(), "{broken:#?}");
}

#[test]
fn documentation_and_source_use_the_terms_of_the_glossary() {
    let mut found = Vec::new();
    for (file, text) in documents() {
        // The glossary quotes the words that it replaces.
        if !file.ends_with("docs/glossary.md") {
            let prose: String = text.split('`').step_by(2).collect();
            found.extend(avoided_words(&prose).map(|words| format!("{}: {words}", file.display())));
        }
    }
    for (file, text) in source(&root().join("src")) {
        // A function has callers.
        let words = avoided_words(&text).filter(|words| !words.starts_with("caller"));
        found.extend(words.map(|words| format!("{}: {words}", file.display())));
    }
    assert!(found.is_empty(), "docs/glossary.md has a better word: {found:#?}");
}

fn avoided_words(text: &str) -> impl Iterator<Item = &'static str> {
    let text = text.to_lowercase();
    let words: Vec<_> = text.split(|letter: char| !letter.is_alphabetic()).filter(|word| !word.is_empty()).collect();
    let occurs = |avoided: &str| {
        let avoided: Vec<_> = avoided.split(' ').collect();
        words.windows(avoided.len()).any(|found| found == avoided)
    };
    AVOIDED.iter().copied().filter(|avoided| occurs(avoided)).collect::<Vec<_>>().into_iter()
}

fn source(folder: &Path) -> Vec<(PathBuf, String)> {
    let entries = std::fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("an entry").path());
    entries
        .flat_map(|path| {
            if path.is_dir() {
                source(&path)
            } else {
                vec![(path.clone(), std::fs::read_to_string(&path).expect("readable"))]
            }
        })
        .collect()
}

/// The anchor that a Markdown viewer gives to a heading; empty for other lines.
fn anchor(line: &str) -> String {
    let title = line.strip_prefix('#').map_or("", |rest| rest.trim_start_matches('#'));
    let keep = |letter: &char| letter.is_alphanumeric() || matches!(letter, ' ' | '-' | '_');
    title.trim().to_lowercase().chars().filter(keep).map(|letter| if letter == ' ' { '-' } else { letter }).collect()
}

/// The Markdown files at the top of the repository and below `docs`, with their texts.
fn documents() -> Vec<(PathBuf, String)> {
    let found: Vec<_> = ["", "docs", "docs/decisions"]
        .iter()
        .flat_map(|folder| std::fs::read_dir(root().join(folder)).expect("a folder"))
        .map(|entry| entry.expect("an entry").path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "md"))
        .map(|path| (path.clone(), std::fs::read_to_string(&path).expect("readable")))
        .collect();
    assert!(found.len() > 20, "{}", found.len());
    found
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}
