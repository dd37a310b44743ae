//! The tokens of a document without its parser: of any text, also of what is no GraphQL, and in constant memory.

/// The tokens of a text in order, each with the place of its first byte. White space, commas and comments are none.
pub struct Tokens<'a> {
    text: &'a [u8],
    at: usize,
}

impl<'a> Tokens<'a> {
    pub fn of(text: &'a str) -> Self {
        Self { text: text.as_bytes(), at: 0 }
    }
}

impl<'a> Iterator for Tokens<'a> {
    type Item = (usize, &'a [u8]);

    fn next(&mut self) -> Option<Self::Item> {
        self.at += ignored(&self.text[self.at..]);
        let (at, rest) = (self.at, &self.text[self.at..]);
        let length = match rest {
            [] => return None,
            [b'"', ..] => string(rest),
            [b'.', b'.', b'.', ..] => 3,
            [byte, ..] if is_word(*byte) => rest.iter().position(|byte| !is_word(*byte)).unwrap_or(rest.len()),
            _ => 1,
        };
        self.at += length;
        Some((at, &rest[..length]))
    }
}

/// What names and numbers are made of; a number's sign is taken for a part of it, its point is not.
pub fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'+')
}

/// Bytes before the next token.
fn ignored(text: &[u8]) -> usize {
    let mut comment = false;
    let token = text.iter().position(|byte| {
        comment = if comment { !matches!(byte, b'\n' | b'\r') } else { *byte == b'#' };
        !comment && !matches!(byte, b' ' | b'\t' | b'\n' | b'\r' | b',')
    });
    token.unwrap_or(text.len())
}

/// Bytes of the string or block string that a text begins with; without an end it is the whole text.
fn string(text: &[u8]) -> usize {
    let block = text.starts_with(b"\"\"\"");
    let mut rest = &text[if block { 3 } else { 1 }..];
    loop {
        rest = match rest {
            [] => return text.len(),
            [b'\\', b'"', b'"', b'"', tail @ ..] if block => tail,
            [b'"', b'"', b'"', tail @ ..] if block => return text.len() - tail.len(),
            [b'"' | b'\n' | b'\r', tail @ ..] if !block => return text.len() - tail.len(),
            [b'\\', _, tail @ ..] if !block => tail,
            [_, tail @ ..] => tail,
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_are_those_of_the_specification() {
        let text = "{a(b:\"x \\\" y\",c:-1)...F@d # {e}\r\n\"\"\"f \\\"\"\" \"g\"\"\"\" }";
        let tokens: Vec<_> = Tokens::of(text).map(|(at, token)| (at, String::from_utf8_lossy(token))).collect();
        let words: Vec<_> = tokens.iter().map(|(_, word)| word.as_ref()).collect();
        let expected = ["{", "a", "(", "b", ":", "\"x \\\" y\"", "c", ":", "-1", ")", "...", "F", "@", "d"];
        assert_eq!(words[..14], expected);
        assert_eq!(words[14..], ["\"\"\"f \\\"\"\" \"g\"\"\"", "\" }"]);
        assert!(tokens.iter().all(|(at, word)| text[*at..].starts_with(word.as_ref())));
    }
}
