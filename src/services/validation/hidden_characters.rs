//! Hidden characters: control characters, invisible ones, and those that change the direction of writing. Texts of one user
//! are shown to others, so that what is displayed must be what is stored.

use std::iter::once;

use icu_properties::{
    CodePointMapData, CodePointSetData,
    props::{
        CanonicalCombiningClass, DefaultIgnorableCodePoint, Emoji, EmojiModifier, ExtendedPictographic,
        GeneralCategory, GeneralCategoryGroup, UnifiedIdeograph,
    },
};

const ZERO_WIDTH_NON_JOINER: char = '\u{200c}';
const ZERO_WIDTH_JOINER: char = '\u{200d}';

/// Visible format characters (`Prepended_Concatenation_Mark`): Arabic, Syriac and Kaithi signs around a number.
const VISIBLE_FORMAT: [std::ops::RangeInclusive<char>; 6] = [
    '\u{600}'..='\u{605}',
    '\u{6dd}'..='\u{6dd}',
    '\u{70f}'..='\u{70f}',
    '\u{890}'..='\u{891}',
    '\u{8e2}'..='\u{8e2}',
    '\u{110bd}'..='\u{110cd}',
];

/// The first hidden character of a text that is not allowed, with its position from 1.
///
/// Invisible characters that a script requires do not count as hidden: ZWNJ and ZWJ between letters (Persian) and after a
/// virama (Indic scripts), ZWJ between the parts of an emoji, the variation selectors of an emoji or ideograph.
pub fn find_hidden(text: &str, allowed: impl Fn(char) -> bool) -> Option<(usize, char)> {
    let before = once(None).chain(text.chars().map(Some));
    let after = text.chars().skip(1).map(Some).chain(once(None));
    text.chars()
        .zip(before.zip(after))
        .enumerate()
        .find(|(_, (character, (before, after)))| {
            is_hidden(*character) && !allowed(*character) && !is_required(*before, *character, *after)
        })
        .map(|(index, (character, _))| (index + 1, character))
}

/// Returns true if the character is hidden when it stands alone.
#[must_use]
pub fn is_hidden(character: char) -> bool {
    if character.is_ascii() {
        return character.is_ascii_control();
    }
    match CodePointMapData::<GeneralCategory>::new().get(character) {
        GeneralCategory::Control | GeneralCategory::LineSeparator | GeneralCategory::ParagraphSeparator => true,
        GeneralCategory::Format => !VISIBLE_FORMAT.iter().any(|range| range.contains(&character)),
        _ => CodePointSetData::new::<DefaultIgnorableCodePoint>().contains(character),
    }
}

/// Returns true if a script requires the hidden character after the one before it, or between its neighbors.
fn is_required(before: Option<char>, character: char, after: Option<char>) -> bool {
    let Some(before) = before else { return false };
    match character {
        ZERO_WIDTH_NON_JOINER | ZERO_WIDTH_JOINER => {
            let between_letters = is_letter(before) && after.is_some_and(is_letter);
            let in_emoji = character == ZERO_WIDTH_JOINER && ends_emoji(before) && after.is_some_and(begins_emoji);
            between_letters || in_emoji || is_virama(before)
        }
        '\u{fe0e}' | '\u{fe0f}' => CodePointSetData::new::<Emoji>().contains(before),
        '\u{fe00}'..='\u{fe0d}' | '\u{e0100}'..='\u{e01ef}' => {
            CodePointSetData::new::<UnifiedIdeograph>().contains(before)
        }
        _ => false,
    }
}

/// Returns true for a letter, or a mark that combines with one.
fn is_letter(character: char) -> bool {
    let category = CodePointMapData::<GeneralCategory>::new().get(character);
    (GeneralCategoryGroup::Letter.contains(category) || GeneralCategoryGroup::Mark.contains(category))
        && !is_hidden(character)
}

fn is_virama(character: char) -> bool {
    CodePointMapData::<CanonicalCombiningClass>::new().get(character) == CanonicalCombiningClass::Virama
}

fn begins_emoji(character: char) -> bool {
    CodePointSetData::new::<ExtendedPictographic>().contains(character)
}

fn ends_emoji(character: char) -> bool {
    begins_emoji(character) || character == '\u{fe0f}' || CodePointSetData::new::<EmojiModifier>().contains(character)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_in_all_scripts_and_emoji_have_no_hidden_characters() {
        for text in [
            "Jo Doe",
            "Zo\u{eb} O\u{2019}Neil-D\u{f6}e",
            "e\u{301} combining",
            "\u{645}\u{6cc}\u{200c}\u{62e}\u{648}\u{627}\u{647}\u{645}",
            "\u{915}\u{94d}\u{200d}\u{937}",
            "\u{dc1}\u{dca}\u{200d}\u{dbb}\u{dd3}",
            "\u{d05}\u{d28}\u{d3f}\u{d32}\u{d4d}\u{200d}",
            "\u{5e2}\u{5d1}\u{5e8}\u{5d9}\u{5ea}",
            "\u{845b}\u{e0100}\u{57ce}",
            "\u{600}12",
            "\u{1f469}\u{200d}\u{1f4bb}",
            "\u{1f3f3}\u{fe0f}\u{200d}\u{1f308}",
            "\u{1f469}\u{1f3fd}\u{200d}\u{1f680}",
            "\u{1f468}\u{200d}\u{1f469}\u{200d}\u{1f467}",
            "1\u{fe0f}\u{20e3} \u{2764}\u{fe0f}",
            "a\u{a0}b\u{3000}c",
        ] {
            assert_eq!(find_hidden(text, |_| false), None, "{}", text.escape_unicode());
        }
    }

    #[test]
    fn hidden_character_is_found_at_any_position() {
        let refused = ('\u{0}'..='\u{1f}')
            .chain('\u{7f}'..='\u{9f}')
            .chain(['\u{ad}', '\u{34f}', '\u{61c}', '\u{115f}', '\u{1160}', '\u{180e}', '\u{200b}'])
            .chain('\u{200e}'..='\u{200f}')
            .chain('\u{2028}'..='\u{202e}')
            .chain('\u{2060}'..='\u{206f}')
            .chain(['\u{3164}', '\u{fe00}', '\u{feff}', '\u{ffa0}'])
            .chain('\u{fff9}'..='\u{fffb}')
            .chain(['\u{1d173}', '\u{e0001}'])
            .chain('\u{e0020}'..='\u{e007f}')
            .chain(['\u{e0100}']);
        for character in refused {
            for text in [format!("{character}ab"), format!("a{character}b"), format!("ab{character}")] {
                let at = text.chars().position(|other| other == character).map(|at| (at + 1, character));
                assert_eq!(find_hidden(&text, |_| false), at, "{}", text.escape_unicode());
            }
        }
    }

    #[test]
    fn joiners_and_variation_selectors_are_hidden_outside_their_scripts() {
        for text in [
            "\u{200c}a",
            "a\u{200d}",
            "a \u{200c}b",
            "a\u{200c}\u{200c}b",
            "1\u{200d}2",
            "\u{1f469}\u{200d}",
            "\u{1f469}\u{200c}\u{1f4bb}",
            "a\u{fe0f}",
            "\u{1f469}\u{fe0f}\u{fe0f}",
            "\u{845b}\u{e0100}\u{e0101}",
        ] {
            assert!(find_hidden(text, |_| false).is_some(), "{}", text.escape_unicode());
        }
    }

    #[test]
    fn allowed_characters_are_not_reported() {
        let lines = |character| matches!(character, '\n' | '\r' | '\t');
        assert_eq!(find_hidden("a\r\n\tb", lines), None);
        assert_eq!(find_hidden("a\n\u{200b}b", lines), Some((3, '\u{200b}')));
    }
}
