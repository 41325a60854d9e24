//! Words: what functions that check something are called.

/// Whether a word of a function's name says that it tells what is acceptable.
pub fn is_check(word: &str) -> bool {
    CHECKS.contains(&word) || KEEPERS.contains(&word)
}

/// Words of functions that say whether a value is acceptable.
const CHECKS: &[&str] = &[
    "is",
    "valid",
    "validate",
    "check",
    "allow",
    "assert",
    "ensure",
    "verify",
    "safe",
    "sanitize",
    "whitelisted",
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

/// More of them; a thing of such a name says so too when its answer is tested, whatever the method is called.
pub const KEEPERS: &[&str] = &["allowed", "allowlist", "whitelist", "trusted", "permitted"];

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

/// Calls that show somebody thought of leaving the folder, when the path is among what they get.
pub const PATH_CHECKS: &[&str] = &["relative", "realpath", "realpathSync", "canonicalize", "isAbsolute"];
