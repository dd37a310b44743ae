//! Documents before they are executed: what the parser would choke on, syntax, and which operation is meant.

use async_graphql::{
    Value, Variables,
    parser::{
        self, parse_query,
        types::{DocumentOperations, ExecutableDocument, OperationType},
    },
};

use crate::error::{Code, Error, Result};

/// A parsed document and the operation of it that is meant.
#[derive(Debug)]
pub struct Document {
    parsed: ExecutableDocument,
    operation_name: Option<String>,
    operation: OperationType,
}

impl Document {
    /// Parses a document whose brackets nest at most `max_nesting` deep: the parser recurses, and its stack is finite.
    pub fn parse(text: &str, operation_name: Option<String>, max_nesting: usize) -> Result<Self> {
        let scan = Scan::of(text);
        if scan.nesting > max_nesting {
            let message = format!("the document nests more than {max_nesting} brackets");
            return Err(Error::new(Code::QueryTooComplex, message));
        }
        let document = parse_query(text).map_err(|error| parse_error(&error))?;
        if scan.nul {
            return Err(nul());
        }
        let operation = operation(&document, operation_name.as_deref())?;
        Ok(Self { parsed: document, operation_name, operation })
    }

    /// Whether the chosen operation only reads.
    #[must_use]
    pub fn is_query(&self) -> bool {
        self.operation == OperationType::Query
    }

    pub(super) fn into_parts(self) -> (ExecutableDocument, Option<String>) {
        (self.parsed, self.operation_name)
    }
}

/// Refuses variables with U+0000 in a string: PostgreSQL has no place for it, and no name or title needs it.
pub fn check_variables(variables: &Variables) -> Result<()> {
    fn has_nul(value: &Value) -> bool {
        match value {
            Value::String(text) => text.contains('\0'),
            Value::List(values) => values.iter().any(has_nul),
            Value::Object(fields) => fields.iter().any(|(name, value)| name.contains('\0') || has_nul(value)),
            _ => false,
        }
    }
    if variables.values().any(has_nul) { Err(nul()) } else { Ok(()) }
}

fn nul() -> Error {
    Error::new(Code::BadUserInput, "a string must not contain the character U+0000")
}

fn parse_error(error: &parser::Error) -> Error {
    // The grammar's message repeats the line of the document and ends with what was expected there.
    let text = error.to_string();
    let reason = text.lines().last().unwrap_or_default().trim_start_matches([' ', '=']);
    let error_at = error.positions().next().map(|at| (at.line, at.column));
    Error::new(Code::GraphqlParseFailed, format!("the document is not GraphQL: {reason}")).at(error_at)
}

fn operation(document: &ExecutableDocument, name: Option<&str>) -> Result<OperationType> {
    let chosen = match (&document.operations, name) {
        (DocumentOperations::Single(operation), None) => Some(operation),
        (DocumentOperations::Single(_), Some(_)) => None,
        (DocumentOperations::Multiple(operations), Some(name)) => operations.get(name),
        (DocumentOperations::Multiple(operations), None) if operations.len() == 1 => operations.values().next(),
        (DocumentOperations::Multiple(_), None) => {
            return Err(Error::bad_input("operationName", "the document has several operations: name one"));
        }
    };
    let chosen =
        chosen.ok_or_else(|| Error::bad_input("operationName", "the document has no operation of this name"))?;
    Ok(chosen.node.ty)
}

/// What can be told of a document without parsing it, in one pass and constant memory.
#[derive(Debug, Default)]
struct Scan {
    /// The most brackets of any kind that are open at once.
    nesting: usize,
    /// Whether a string holds an escaped U+0000.
    nul: bool,
}

impl Scan {
    fn of(text: &str) -> Self {
        let mut scan = Self::default();
        let mut open = 0_usize;
        let mut rest = text.as_bytes();
        while let [byte, tail @ ..] = rest {
            rest = match byte {
                b'"' => scan.string(rest),
                b'#' => &tail[tail.iter().position(|byte| matches!(byte, b'\n' | b'\r')).unwrap_or(tail.len())..],
                b'{' | b'(' | b'[' => {
                    open += 1;
                    scan.nesting = scan.nesting.max(open);
                    tail
                }
                b'}' | b')' | b']' => {
                    open = open.saturating_sub(1);
                    tail
                }
                _ => tail,
            };
        }
        scan
    }

    /// Skips a string or block string, which `text` begins with.
    fn string<'a>(&mut self, text: &'a [u8]) -> &'a [u8] {
        let block = text.starts_with(b"\"\"\"");
        let mut rest = &text[if block { 3 } else { 1 }..];
        loop {
            rest = match rest {
                [] => return rest,
                [b'\\', b'"', b'"', b'"', tail @ ..] if block => tail,
                [b'"', b'"', b'"', tail @ ..] if block => return tail,
                [_, tail @ ..] if block => tail,
                [b'\\', escape, tail @ ..] => {
                    let hex = |byte: &u8| matches!(byte, b'0' | b'{');
                    self.nul |= *escape == b'u' && tail.len() >= 4 && tail[..4].iter().all(hex);
                    tail
                }
                [b'"' | b'\n' | b'\r', tail @ ..] => return tail,
                [_, tail @ ..] => tail,
            };
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nesting_counts_open_brackets_outside_strings_and_comments() {
        for (text, nesting) in [
            ("", 0),
            ("{a}", 1),
            ("{a(b:[{c:1}]){d}}", 4),
            ("{a b(c:\"{{{{\") # {{{{\n}", 2),
            ("{a(b:\"\"\"{\\\"\"\"{{\"\"\")}", 2),
            ("{a(b:\"\\\"{{{\")}", 2),
            ("}}}{", 1),
            ("{a(b:\"{{", 2),
        ] {
            assert_eq!(Scan::of(text).nesting, nesting, "{text}");
        }
    }

    #[test]
    fn deep_nesting_is_refused_before_the_parser_sees_it() {
        for open in ["{a", "{a(b:[", "{a(b:{c:"] {
            let error = Document::parse(&open.repeat(100_000), None, 100).expect_err("too deep");
            assert_eq!(error.code(), Code::QueryTooComplex);
        }
    }

    #[test]
    fn an_escaped_nul_is_found() {
        for (text, found) in
            [(r#"{a(b:"\u0000")}"#, true), (r#"{a(b:"\\u0000")}"#, false), (r#"{a(b:"\u0001")}"#, false)]
        {
            assert_eq!(Scan::of(text).nul, found, "{text}");
        }
    }

    #[test]
    fn a_syntax_error_tells_what_was_expected_and_where_but_not_the_document() {
        let error = Document::parse("{ secret: me { id ", None, 100).expect_err("not closed");
        assert_eq!(error.code(), Code::GraphqlParseFailed);
        assert!(!error.message().contains("secret"), "{error}");
        assert_eq!(error.location().map(|(line, _)| line), Some(1));
    }

    #[test]
    fn the_operation_is_chosen_by_name() {
        let text = "query A { me { id } } mutation B { login(input: {username: \"\", password: \"\"}) { expiresAt } }";
        let parse = |name: Option<&str>| Document::parse(text, name.map(str::to_owned), 100);
        assert!(parse(Some("A")).expect("A").is_query());
        assert!(!parse(Some("B")).expect("B").is_query());
        assert_eq!(parse(None).expect_err("ambiguous").field(), Some("operationName"));
        assert_eq!(parse(Some("C")).expect_err("unknown").field(), Some("operationName"));
    }
}
