//! Characters that a terminal would obey, wherever texts of a scenario are shown to one.

use std::borrow::Cow;

/// Whether it is a control character, or one that changes the direction of what follows.
#[must_use]
pub fn is_unsafe(letter: char) -> bool {
    letter.is_control()
        || matches!(letter, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// Text from outside in one line, made harmless for a terminal: control characters become visible.
#[must_use]
pub fn escape(text: &str) -> Cow<'_, str> {
    if !text.chars().any(is_unsafe) {
        return Cow::Borrowed(text);
    }
    let visible = |letter: char| {
        if is_unsafe(letter) { letter.escape_default().to_string() } else { letter.to_string() }
    };
    Cow::Owned(text.chars().map(visible).collect())
}

/// JSON with the same content and without such characters, which only its texts can have; line ends
/// between its parts stay.
#[must_use]
pub fn harmless_json(json: &str) -> Cow<'_, str> {
    let is_harmless = |byte: u8| byte == b'\n' || (b' '..=b'~').contains(&byte);
    if json.bytes().all(is_harmless) {
        return Cow::Borrowed(json);
    }
    let visible = |letter: char| match letter {
        '\n' => "\n".to_owned(),
        letter if is_unsafe(letter) => format!("\\u{:04x}", u32::from(letter)),
        letter => letter.to_string(),
    };
    Cow::Owned(json.chars().map(visible).collect())
}

/// A word as a shell reads it back. Control characters, which a terminal would obey, are written as
/// bash and zsh read them.
#[must_use]
pub fn shell_word(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./=,:+@%".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        word.to_owned()
    } else if *escape(word) != *word {
        let quoted = |letter: char| match letter {
            '\'' | '\\' => format!("\\{letter}"),
            letter if escape(letter.encode_utf8(&mut [0; 4])).len() == letter.len_utf8() => {
                letter.to_string()
            }
            letter => format!("\\U{:08x}", u32::from(letter)),
        };
        format!("$'{}'", word.chars().map(quoted).collect::<String>())
    } else {
        format!("'{}'", word.replace('\'', r"'\''"))
    }
}
