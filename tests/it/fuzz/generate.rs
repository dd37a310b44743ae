//! Random texts and JSON: mostly what means something somewhere, with what is wrong here and there.

use arbitrary::{Result, Unstructured};

/// Texts that mean something to a parser, to SQL, to JSON or to a terminal.
const TEXTS: &[&str] = &[
    "",
    "a",
    "%",
    "_",
    "\\",
    "'",
    "\"; drop table users; --",
    "\u{202e}",
    "\u{200d}",
    "\u{feff}",
    "🛡",
    "LOGIN",
    "ADMIN",
    "ASC",
    "CREATED_AT",
    "USERNAME",
    "2026-03-01T12:00:00Z",
    "-271821-04-20T00:00:00Z",
    "2026-02-30",
    "10.0.0.0/8",
    "::/0",
    "10.0.0.0/33",
    "fe80::1%eth0",
    "00000000-0000-0000-0000-000000000000",
    "$.a[0]",
    "{\"a\": 1}",
    "\u{0}",
    "AVVVVVVVVVVVVVVVVVVVVVVVVA",
    "$serde_json::private::RawValue",
    "$serde_json::private::Number",
    "__proto__",
];
const NUMBERS: &[&str] = &[
    "0",
    "-0",
    "1",
    "-1",
    "2147483648",
    "9007199254740993",
    "9223372036854775807",
    "18446744073709551615",
    "18446744073709551616",
    "-9223372036854775809",
    "12345678901234567890123",
    "1e308",
    "1e309",
    "1e-400",
    "0.1",
    "1.0",
    "00",
    "1.",
    "-",
    "NaN",
];

/// One of a list.
pub fn one<'a>(u: &mut Unstructured, of: &[&'a str]) -> Result<&'a str> {
    u.choose(of).copied()
}

/// A text from [`TEXTS`], or random characters.
pub fn text(u: &mut Unstructured) -> Result<String> {
    if u.ratio(4, 5)? {
        return one(u, TEXTS).map(str::to_owned);
    }
    (0..u.int_in_range(0..=20)?).map(|_| u.arbitrary::<char>()).collect()
}

/// The text as a JSON string, sometimes with characters that JSON wants escaped.
fn string(u: &mut Unstructured, text: &str) -> Result<String> {
    Ok(if u.ratio(19, 20)? { serde_json::to_string(text).unwrap_or_default() } else { format!("\"{text}\"") })
}

/// A JSON text, nested up to `depth` levels; now and then far deeper, or not JSON.
pub fn json(u: &mut Unstructured, depth: u8) -> Result<String> {
    Ok(match u.int_in_range(0..=if depth > 0 { 13 } else { 9 })? {
        0 => "null".to_owned(),
        1 => u.arbitrary::<bool>()?.to_string(),
        2 => u.arbitrary::<i64>()?.to_string(),
        3 => one(u, NUMBERS)?.to_owned(),
        4..=8 => {
            let text = text(u)?;
            string(u, &text)?
        }
        9 if u.ratio(1, 8)? => nested(u)?,
        9 => u.arbitrary::<f64>()?.to_string(),
        10 | 11 => {
            let items = (0..u.int_in_range(0..=3)?).map(|_| json(u, depth - 1)).collect::<Result<Vec<_>>>()?;
            format!("[{}]", items.join(","))
        }
        _ => {
            let fields = (0..u.int_in_range(0..=3)?).map(|_| {
                let name = text(u)?;
                Ok(format!("{}:{}", string(u, &name)?, json(u, depth - 1)?))
            });
            format!("{{{}}}", fields.collect::<Result<Vec<_>>>()?.join(","))
        }
    })
}

/// Many levels of something that nests, closed or not.
fn nested(u: &mut Unstructured) -> Result<String> {
    let (open, close) = *u.choose(&[("[", "]"), ("{\"a\":", "}"), ("{\"$serde_json::private::RawValue\":", "}")])?;
    let levels = u.int_in_range(1..=400)?;
    if open.contains("Raw") {
        // Each level is a string that holds the next; two levels, as quotes double with each.
        let inner = serde_json::to_string(&"[".repeat(levels)).unwrap_or_default();
        let inner = serde_json::to_string(&format!("{open}{inner}{close}")).unwrap_or_default();
        return Ok(format!("{open}{inner}{close}"));
    }
    let end = if u.ratio(9, 10)? { close.repeat(levels) } else { String::new() };
    Ok(format!("{}1{end}", open.repeat(levels)))
}

/// One of the texts with up to four pieces of it dropped, doubled, moved or replaced.
pub fn mangled(u: &mut Unstructured, texts: &[&str], pieces: &[&str]) -> Result<String> {
    let mut text: Vec<char> = one(u, texts)?.chars().collect();
    for _ in 0..u.int_in_range(0..=4)? {
        if text.is_empty() {
            break;
        }
        let from = u.int_in_range(0..=text.len() - 1)?;
        let to = (from + u.int_in_range(0..=11)?).min(text.len());
        match u.int_in_range(0..=4)? {
            0 => drop(text.drain(from..to)),
            1 => {
                let copy: Vec<_> = text[from..to].to_vec();
                text.splice(from..from, copy);
            }
            2 => {
                let moved: Vec<_> = text.drain(from..to).collect();
                let at = u.int_in_range(0..=text.len())?;
                text.splice(at..at, moved);
            }
            3 => drop(text.splice(from..from, one(u, pieces)?.chars())),
            _ => drop(text.splice(from..to, one(u, pieces)?.chars())),
        }
    }
    Ok(text.into_iter().collect())
}

/// A filter: mostly like one, as JSON text.
pub fn filter(u: &mut Unstructured, depth: u8) -> Result<String> {
    const FIELDS: &[&str] = &[
        "id",
        "user",
        "username",
        "email",
        "role",
        "isActive",
        "createdAt",
        "lastLogin",
        "title",
        "threadId",
        "context",
        "action",
        "details",
        "description",
        "ipAddress",
        "userAgent",
        "success",
        "timestamp",
        "endedAt",
        "fullName",
    ];
    const OPERATORS: &[&str] =
        &["eq", "in", "notIn", "contains", "startsWith", "gt", "gte", "lt", "lte", "isNull", "cidr", "nothing"];
    let parts = (0..u.int_in_range(0..=2)?).map(|_| {
        let (name, value) = match u.int_in_range(0..=7)? {
            n @ (0 | 1) if depth > 0 => {
                let parts = (0..u.int_in_range(0..=2)?).map(|_| filter(u, depth - 1)).collect::<Result<Vec<_>>>()?;
                (if n == 0 { "and" } else { "or" }, format!("[{}]", parts.join(",")))
            }
            2 if depth > 0 => ("not", filter(u, depth - 1)?),
            3 => (one(u, FIELDS)?, json(u, 2)?),
            _ => {
                let operator = one(u, OPERATORS)?;
                let list = matches!(operator, "in" | "notIn") && u.arbitrary()?;
                let value = if list { format!("[{},{}]", json(u, 0)?, json(u, 0)?) } else { json(u, 0)? };
                (one(u, FIELDS)?, format!("{{\"{operator}\":{value}}}"))
            }
        };
        Ok(format!("\"{name}\":{value}"))
    });
    Ok(format!("{{{}}}", parts.collect::<Result<Vec<_>>>()?.join(",")))
}
