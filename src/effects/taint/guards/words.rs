//! Words: what functions that check something are called.

/// Words of functions that say whether a value is acceptable.
pub const CHECKS: &[&str] = &[
    "is",
    "valid",
    "validate",
    "check",
    "allowed",
    "allow",
    "assert",
    "ensure",
    "verify",
    "safe",
    "sanitize",
    "permitted",
    "trusted",
    "whitelist",
    "whitelisted",
    "allowlist",
    "allowlisted",
    "blocked",
    "blacklisted",
    "forbidden",
    "reject",
    "guard",
    "refuse",
    "private",
    "internal",
];

/// Words of functions that accept one fixed form.
pub const FORMS: &[&str] = &[
    "uuid",
    "ulid",
    "cuid",
    "guid",
    "integer",
    "nan",
    "finite",
    "numeric",
    "alphanumeric",
    "objectid",
    "int",
    "slug",
    "isbn",
];

/// Methods of lists and sets that ask for membership.
pub const MEMBERSHIP: &[&str] = &["includes", "has", "contains", "contains_key", "indexOf"];

/// Calls that show somebody thought of leaving the folder, when they are asked about the path.
pub const PATH_CHECKS: &[&str] = &[
    "relative",
    "realpath",
    "realpathSync",
    "canonicalize",
    "strip_prefix",
    "components",
    "is_relative",
    "isAbsolute",
    "is_absolute",
    "basename",
    "file_name",
    "clean",
    "absolutize",
    "normalize_path",
    "is_dir_inside",
    "starts_with",
    "startsWith",
];

/// The words of a name, in lower case: `isValidUUID` is `is`, `valid`, `uuid`.
pub fn words(name: &str) -> Vec<String> {
    let mut found: Vec<String> = vec![String::new()];
    let mut before = '_';
    for letter in name.chars() {
        if !letter.is_alphanumeric() || (letter.is_uppercase() && (before.is_lowercase() || before.is_numeric())) {
            found.push(String::new());
        }
        if letter.is_alphanumeric() {
            found.last_mut().expect("starts with one word").extend(letter.to_lowercase());
        }
        before = letter;
    }
    found.retain(|word| !word.is_empty());
    found
}
