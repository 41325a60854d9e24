//! Whether a value may be a real credential: what is a placeholder, a word, an identifier or a lookup is not.

/// Marks of a value that somebody is meant to replace, or that says itself it is none. Compared in lower case.
const PLACEHOLDERS: &[&str] = &[
    "example",
    "sample",
    "placeholder",
    "changeme",
    "change-me",
    "change_me",
    "changethis",
    "your",
    "xxx",
    "todo",
    "dummy",
    "fake",
    "mock",
    "redacted",
    "replace",
    "insert",
    "foobar",
    "secret",
    "password",
    "passw0rd",
    "p@ssw",
    "pass123",
    "hunter2",
    "qwerty",
    "letmein",
    "lorem",
    "***",
    "...",
    "${",
    "{{",
    "$(",
    "#{",
    "<%",
    "%s",
    "%(",
    "process.env",
    "import.meta",
    "env(",
    "env.",
    "getenv",
    "undefined",
    "notreal",
    "not-real",
    "not_real",
    "invalid",
    "deadbeef",
];

/// Whether `value` is a stand-in: a placeholder, a hole to be filled, one repeated character, a counted sequence.
pub(super) fn is_placeholder(value: &str) -> bool {
    let lower = value.to_ascii_lowercase();
    PLACEHOLDERS.iter().any(|mark| lower.contains(mark))
        || value.starts_with(['<', '$', '{', '%', '[', '@', '/', '.'])
        || has_word(&lower, "test")
        || distinct(value) <= 5
        || longest_sequence(lower.as_bytes()) >= 6
}

/// Whether `word` stands in `lower` between non-letters.
fn has_word(lower: &str, word: &str) -> bool {
    lower.match_indices(word).any(|(at, _)| {
        let before = lower[..at].chars().next_back().is_some_and(|c| c.is_ascii_alphabetic());
        let after = lower[at + word.len()..].chars().next().is_some_and(|c| c.is_ascii_alphabetic());
        !before && !after
    })
}

fn distinct(value: &str) -> usize {
    let mut bytes: Vec<u8> = value.bytes().collect();
    bytes.sort_unstable();
    bytes.dedup();
    bytes.len()
}

/// The longest run in which each byte is the one before plus a fixed step of 0, 1 or -1: `aaaa`, `1234`, `fedc`.
fn longest_sequence(bytes: &[u8]) -> usize {
    let mut longest = 1;
    for step in [-1_i16, 0, 1] {
        let mut run = 1;
        for pair in bytes.windows(2) {
            // `90` continues `789` on a keyboard and in every made-up key.
            let follows = i16::from(pair[1]) - i16::from(pair[0]) == step || (step == 1 && pair == b"90");
            run = if follows { run + 1 } else { 1 };
            longest = longest.max(run);
        }
    }
    longest
}

/// Whether `value`, bound to a name that says credential, is likely one: random enough, and no word, number, path, call or UUID.
pub(super) fn is_random(value: &str, min_length: usize) -> bool {
    if !(min_length..=512).contains(&value.len()) || !value.is_ascii() || value.contains(char::is_whitespace) {
        return false;
    }
    let has_letter = value.bytes().any(|byte| byte.is_ascii_alphabetic());
    let has_digit = value.bytes().any(|byte| byte.is_ascii_digit());
    has_letter
        && has_digit
        && !value.contains(['(', ')', '{', '}', ';', '`', '"', '\''])
        && !value.contains("://")
        && !is_uuid(value)
        && !is_wordlike(value)
        && entropy(value) >= if value.len() >= 16 { 3.0 } else { 2.7 }
}

/// Bits per byte (Shannon). Hexadecimal random text of 16 bytes has about 3.2, base64 of 32 about 4.5, English names under 3.5.
pub(super) fn entropy(value: &str) -> f64 {
    let mut counts = [0_u32; 128];
    for byte in value.bytes() {
        counts[usize::from(byte & 127)] += 1;
    }
    let total = value.len() as f64;
    counts
        .iter()
        .filter(|&&count| count > 0)
        .map(|&count| {
            let share = f64::from(count) / total;
            -share * share.log2()
        })
        .sum()
}

fn is_uuid(value: &str) -> bool {
    value.len() == 36
        && value.bytes().enumerate().all(|(at, byte)| match at {
            8 | 13 | 18 | 23 => byte == b'-',
            _ => byte.is_ascii_hexdigit(),
        })
}

/// Whether letters come in runs as long as words: `refreshTokenV2`, `user-42-session`. Random text changes class every 1 to 2 bytes.
fn is_wordlike(value: &str) -> bool {
    #[derive(PartialEq, Clone, Copy)]
    enum Class {
        Upper,
        Lower,
        Digit,
        Other,
    }
    let class = |byte: u8| match byte {
        b'A'..=b'Z' => Class::Upper,
        b'a'..=b'z' => Class::Lower,
        b'0'..=b'9' => Class::Digit,
        _ => Class::Other,
    };
    let (mut letters, mut runs, mut digits) = (0_usize, 0_usize, 0_usize);
    let mut before = Class::Other;
    for byte in value.bytes() {
        let now = class(byte);
        match now {
            Class::Digit => digits += 1,
            Class::Upper | Class::Lower => {
                letters += 1;
                // One capital opens a word of small letters.
                if now != before && !(now == Class::Lower && before == Class::Upper) {
                    runs += 1;
                }
            }
            Class::Other => {}
        }
        before = now;
    }
    runs > 0 && letters as f64 / runs as f64 >= 3.5 && digits * 4 <= letters
}
