//! Documents before they are executed: what the parser would choke on, syntax, and which operation is meant.

use std::sync::Arc;

use async_graphql::{
    Positioned, Variables,
    parser::{
        self, parse_query,
        types::{DocumentOperations, ExecutableDocument, OperationDefinition, OperationType},
    },
};

use super::{
    analysis::{OperationAnalysis, analyze},
    cache::{Source, Sources},
    limit_error::limit_exceeded,
    root_fields::IdempotencyMode,
    schema_types::SchemaTypes,
    tokens::{Tokens, is_word},
};
use crate::{
    config::DocumentLimits,
    error::{Error, ErrorCode, Result},
};

/// Bytes in a name or number: mistakes are answered with the names in them, some names many times.
const MAX_WORD: usize = 255;

/// A document within the limits, and the operation of it that is meant.
#[derive(Debug)]
pub struct Document {
    source: Arc<Source>,
    operation_name: Option<String>,
    operation: OperationType,
    analysis: OperationAnalysis,
}

impl Document {
    /// Parses and measures a document. What the parser itself could not bear is counted before: it recurses, and its
    /// stack is finite.
    pub(in crate::graphql) fn parse(
        text: &str,
        operation_name: Option<String>,
        variables: &Variables,
        shapes: &SchemaTypes,
        limits: &DocumentLimits,
        known: &Sources,
    ) -> Result<Self> {
        tracing::trace!(target: "request_path", "parse");
        let source = match known.find(text) {
            Some(source) => source,
            None => Arc::new(read(text, limits)?),
        };
        let operation = &operation(&source.parsed, operation_name.as_deref())?.node;
        let analysis = analyze(&source.parsed, operation, variables, shapes, limits)?;
        let operation = operation.ty;
        Ok(Self { source, operation_name, operation, analysis })
    }

    /// Whether the chosen operation only reads.
    #[must_use]
    pub fn is_query(&self) -> bool {
        self.operation == OperationType::Query
    }

    /// The complexity of the chosen operation; see `complexity.rs`.
    #[must_use]
    pub fn complexity(&self) -> u64 {
        self.analysis.complexity
    }

    /// How a second request with the same idempotency key is answered.
    #[must_use]
    pub fn idempotency_mode(&self) -> IdempotencyMode {
        self.analysis.idempotency_mode
    }

    /// Returns true if the arguments or the response of the operation contain a password or token.
    pub(in crate::graphql) fn transmits_secrets(&self) -> bool {
        self.analysis.idempotency_mode != IdempotencyMode::Replay
    }

    /// How many fields the chosen operation has at its root.
    pub(in crate::graphql) fn root_fields(&self) -> usize {
        self.analysis.root_fields
    }

    /// Whether the chosen operation asks for the schema itself.
    pub(in crate::graphql) fn introspects(&self) -> bool {
        self.analysis.introspects
    }

    /// The name of the chosen operation, if the request has one.
    pub(in crate::graphql) fn operation_name(&self) -> Option<&str> {
        self.operation_name.as_deref()
    }

    pub(in crate::graphql) fn source(&self) -> &Arc<Source> {
        &self.source
    }
}

fn read(text: &str, limits: &DocumentLimits) -> Result<Source> {
    let scan = Scan::of(text);
    scan.check(limits)?;
    let parsed = parse_query(text).map_err(|error| parse_error(&error))?;
    Ok(Source::new(text, parsed))
}

/// The first integer that has no place in 64 bits, where the schema takes one: in JSON.
pub(in crate::graphql) fn large_integer(text: &str) -> Option<Error> {
    let field = Scan::of(text).large_integer?;
    let message = format!("{field}: an integer must fit in 64 bits: send a larger one as a string");
    Some(Error::bad_input(field, message))
}

fn parse_error(error: &parser::Error) -> Error {
    // The grammar's message repeats the line of the document and ends with what was expected there.
    let text = error.to_string();
    let reason = text.lines().last().unwrap_or_default().trim_start_matches([' ', '=']);
    let error_at = error.positions().next().map(|at| (at.line, at.column));
    Error::new(ErrorCode::GraphqlParseFailed, format!("the document is not GraphQL: {reason}")).with_location(error_at)
}

/// The operation that is meant.
pub(in crate::graphql) fn operation<'a>(
    document: &'a ExecutableDocument,
    name: Option<&str>,
) -> Result<&'a Positioned<OperationDefinition>> {
    let chosen = match (&document.operations, name) {
        (DocumentOperations::Single(operation), None) => Some(operation),
        (DocumentOperations::Single(_), Some(_)) => None,
        (DocumentOperations::Multiple(operations), Some(name)) => operations.get(name),
        (DocumentOperations::Multiple(operations), None) if operations.len() == 1 => operations.values().next(),
        (DocumentOperations::Multiple(_), None) => {
            return Err(Error::bad_input(
                "operationName",
                "the document has several operations: `operationName` is required",
            ));
        }
    };
    chosen.ok_or_else(|| Error::bad_input("operationName", "the document has no operation with this name"))
}

/// What is known of a document before it is parsed, in one pass and constant memory.
#[derive(Debug, Default)]
struct Scan {
    /// The most brackets of any kind that are open together.
    nesting: usize,
    /// Names, numbers, strings and punctuation marks.
    tokens: usize,
    /// Bytes of the longest name or number.
    longest_word: usize,
    /// Whether U+0000 is anywhere in it, as it is or escaped in a string.
    nul: bool,
    /// The argument or field of the first integer that has no place in 64 bits: the last name before a colon.
    large_integer: Option<String>,
}

impl Scan {
    fn of(text: &str) -> Self {
        let mut scan = Self { nul: text.contains('\0'), ..Self::default() };
        let mut open = 0_usize;
        let (mut field, mut before) = (&b""[..], &b""[..]);
        for (at, token) in Tokens::of(text) {
            scan.tokens += 1;
            match token {
                [b'{' | b'(' | b'[', ..] => {
                    open += 1;
                    scan.nesting = scan.nesting.max(open);
                }
                [b'}' | b')' | b']', ..] => open = open.saturating_sub(1),
                [b'"', ..] => scan.nul |= has_nul(token),
                b":" => field = before,
                [byte, ..] if is_word(*byte) => {
                    scan.longest_word = scan.longest_word.max(token.len());
                    if scan.large_integer.is_none() && is_large_integer(text, at, token) {
                        scan.large_integer = Some(String::from_utf8_lossy(field).into_owned());
                    }
                }
                _ => {}
            }
            before = token;
        }
        scan
    }

    fn check(&self, limits: &DocumentLimits) -> Result<()> {
        if self.nesting > limits.nesting {
            let counted = format_args!("bracket depth {}", self.nesting);
            return Err(limit_exceeded(counted, limits.nesting, "MAX_NESTING"));
        }
        if self.longest_word > MAX_WORD {
            let message =
                format!("a name or number of {} bytes exceeds the limit of {MAX_WORD} bytes", self.longest_word);
            return Err(Error::new(ErrorCode::QueryTooComplex, message));
        }
        if self.tokens > limits.tokens {
            let counted = format_args!("token count {}", self.tokens);
            return Err(limit_exceeded(counted, limits.tokens, "MAX_TOKENS"));
        }
        if self.nul {
            return Err(Error::new(ErrorCode::BadUserInput, "a document must not contain the character U+0000"));
        }
        Ok(())
    }
}

/// Whether the word at this place is an integer that has no place in 64 bits. The parser would make a float of it.
fn is_large_integer(text: &str, at: usize, word: &[u8]) -> bool {
    const MOST_DIGITS: usize = 18;
    let point = |byte: Option<&u8>| byte == Some(&b'.');
    let bytes = text.as_bytes();
    let digits = word.strip_prefix(b"-").unwrap_or(word);
    if digits.len() <= MOST_DIGITS || !digits.iter().all(u8::is_ascii_digit) {
        return false;
    }
    // The digits before or behind the point of a float.
    if point(bytes.get(at + word.len())) || point(at.checked_sub(1).and_then(|before| bytes.get(before))) {
        return false;
    }
    let word = &text[at..at + word.len()];
    word.parse::<i64>().is_err() && word.parse::<u64>().is_err()
}

/// Whether a string of the document has an escaped U+0000; in block strings nothing is escaped so.
fn has_nul(string: &[u8]) -> bool {
    let mut rest = if string.starts_with(b"\"\"\"") { &[] } else { string };
    let is_nul = |hex: &[u8]| hex.len() >= 4 && hex[..4].iter().all(|byte| matches!(byte, b'0' | b'{'));
    while let [byte, tail @ ..] = rest {
        rest = match (byte, tail) {
            (b'\\', [b'u', hex @ ..]) if is_nul(hex) => return true,
            (b'\\', [_, tail @ ..]) => tail,
            _ => tail,
        };
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Limits;

    fn parse(text: &str, operation_name: Option<&str>) -> Result<Document> {
        let limits = Limits::default().document;
        let shapes = SchemaTypes::default();
        let known = Sources::default();
        Document::parse(text, operation_name.map(str::to_owned), &Variables::default(), &shapes, &limits, &known)
    }

    #[test]
    fn tokens_are_counted_as_the_specification_has_them() {
        for (text, tokens) in [
            ("", 0),
            (" \t\r\n,,, # a comment {", 0),
            ("{a}", 3),
            ("{ user(id: \"a b c\") { ...F } }", 12),
            ("query($a:[Int!]=-1){a(b:\"\"\"x \\\"\"\" y\"\"\")@c}", 22),
            ("{a(b:10)}", 8),
        ] {
            assert_eq!(Scan::of(text).tokens, tokens, "{text}");
        }
    }

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
    fn a_name_or_number_has_an_end() {
        for word in ["a", "1"] {
            assert_eq!(Scan::of(&format!("{{ {} }}", word.repeat(255))).longest_word, 255);
            let error = parse(&format!("{{ {} }}", word.repeat(256)), None).expect_err("too long");
            assert_eq!(error.code(), ErrorCode::QueryTooComplex);
            assert!(error.message().len() < 100, "{error}");
        }
    }

    #[test]
    fn deep_nesting_is_refused_before_the_parser_sees_it() {
        for open in ["{a", "{a(b:[", "{a(b:{c:"] {
            let error = parse(&open.repeat(100_000), None).expect_err("too deep");
            assert_eq!(error.code(), ErrorCode::QueryTooComplex);
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
    fn a_raw_nul_is_found_wherever_it_is() {
        for text in ["{a(b:\"\0\")}", "{a(b:\"\"\"\0\"\"\")}", "{a} #\0", "\0", "{a\0}"] {
            assert_eq!(parse(text, None).expect_err(text).code(), ErrorCode::BadUserInput, "{text:?}");
        }
    }

    #[test]
    fn an_integer_beyond_64_bits_is_found_with_its_field() {
        for (text, field) in [
            ("{a(b: 18446744073709551616)}", Some("b")),
            ("{a(b: {c: [1, -9223372036854775809]}, d: 1)}", Some("c")),
            ("query($v: JSON = 18446744073709551616) {a}", Some("v")),
            ("{a(b: [18446744073709551615, -9223372036854775808])}", None),
            ("{a(b: [1.18446744073709551616, 18446744073709551616.1, 18446744073709551616e1, 1e20])}", None),
            ("{a(b: \"18446744073709551616\") # 18446744073709551616\n}", None),
        ] {
            assert_eq!(Scan::of(text).large_integer.as_deref(), field, "{text}");
        }
    }

    #[test]
    fn a_syntax_error_tells_what_was_expected_and_where_but_not_the_document() {
        let error = parse("{ secret: me { id ", None).expect_err("not closed");
        assert_eq!(error.code(), ErrorCode::GraphqlParseFailed);
        assert!(!error.message().contains("secret"), "{error}");
        assert_eq!(error.location().map(|(line, _)| line), Some(1));
    }

    #[test]
    fn the_operation_is_chosen_by_name() {
        let text = "query A { me { id } } mutation B { login(input: {username: \"\", password: \"\"}) { expiresAt } }";
        let parse = |name| parse(text, name);
        assert!(parse(Some("A")).expect("A").is_query());
        assert!(!parse(Some("B")).expect("B").is_query());
        assert_eq!(parse(None).expect_err("ambiguous").field(), Some("operationName"));
        assert_eq!(parse(Some("C")).expect_err("unknown").field(), Some("operationName"));
    }
}
