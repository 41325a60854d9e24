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

/// Words of things whose methods say whether a value is acceptable, whatever the method is called.
pub const KEEPERS: &[&str] = &["allowed", "allowlist", "whitelist", "trusted", "permitted", "sanitizer"];

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
