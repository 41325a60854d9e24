//! Credentials that are recognised by their own form, whatever they are called: data, one line a form.

use std::sync::{LazyLock, OnceLock};

use regex::Regex;

/// A credential with a form of its own.
pub(super) struct Form {
    /// What it is, as in `[secret:github-token]`.
    pub kind: &'static str,
    /// Text without which the pattern cannot match: asked first, because a substring search is far cheaper.
    pub needle: &'static str,
    source: &'static str,
    compiled: OnceLock<Regex>,
}

impl Form {
    /// The pattern, compiled when it is first asked for: most never are. What counts is group 1 where there is one, else the whole match.
    pub fn pattern(&self) -> &Regex {
        self.compiled.get_or_init(|| Regex::new(self.source).expect("the table's patterns are tested"))
    }
}

/// Prefixes and lengths as their issuers print them. The boundary is ASCII, so that the fast regex engine is used.
const TABLE: &[(&str, &str, &str)] = &[
    ("aws-access-key", "AKIA", r"(?-u:\b)AKIA[A-Z2-7]{16}(?-u:\b)"),
    ("aws-access-key", "ASIA", r"(?-u:\b)ASIA[A-Z2-7]{16}(?-u:\b)"),
    ("github-token", "ghp_", r"(?-u:\b)ghp_[A-Za-z0-9]{36,}"),
    ("github-token", "gho_", r"(?-u:\b)gho_[A-Za-z0-9]{36,}"),
    ("github-token", "ghu_", r"(?-u:\b)ghu_[A-Za-z0-9]{36,}"),
    ("github-token", "ghs_", r"(?-u:\b)ghs_[A-Za-z0-9]{36,}"),
    ("github-token", "ghr_", r"(?-u:\b)ghr_[A-Za-z0-9]{36,}"),
    ("github-token", "github_pat_", r"(?-u:\b)github_pat_[A-Za-z0-9_]{60,}"),
    ("gitlab-token", "glpat-", r"(?-u:\b)glpat-[A-Za-z0-9_-]{20,}"),
    ("gitlab-token", "gldt-", r"(?-u:\b)gldt-[A-Za-z0-9_-]{20,}"),
    ("gitlab-token", "glrt-", r"(?-u:\b)glrt-[A-Za-z0-9_-]{20,}"),
    ("slack-token", "xox", r"(?-u:\b)xox[abeoprs]-[A-Za-z0-9-]{20,}"),
    ("slack-token", "xapp-", r"(?-u:\b)xapp-[0-9]-[A-Za-z0-9]+-[0-9]+-[A-Za-z0-9]{20,}"),
    ("slack-webhook", "hooks.slack.com/", r"hooks\.slack\.com/services/(T[A-Z0-9]{6,}/B[A-Z0-9]{6,}/[A-Za-z0-9]{20,})"),
    ("stripe-key", "sk_live_", r"(?-u:\b)sk_live_[A-Za-z0-9]{16,}"),
    ("stripe-key", "rk_live_", r"(?-u:\b)rk_live_[A-Za-z0-9]{16,}"),
    ("webhook-secret", "whsec_", r"(?-u:\b)whsec_[A-Za-z0-9+/]{24,}={0,2}"),
    ("anthropic-key", "sk-ant-", r"(?-u:\b)sk-ant-[a-z0-9]+-[A-Za-z0-9_-]{20,}"),
    ("openai-key", "sk-proj-", r"(?-u:\b)sk-proj-[A-Za-z0-9_-]{20,}"),
    ("openai-key", "sk-svcacct-", r"(?-u:\b)sk-svcacct-[A-Za-z0-9_-]{20,}"),
    ("openai-key", "sk-admin-", r"(?-u:\b)sk-admin-[A-Za-z0-9_-]{20,}"),
    ("openai-key", "sk-", r"(?-u:\b)sk-[A-Za-z0-9]{40,}(?-u:\b)"),
    ("openrouter-key", "sk-or-v1-", r"(?-u:\b)sk-or-v1-[a-f0-9]{40,}"),
    ("google-api-key", "AIza", r"(?-u:\b)AIza[A-Za-z0-9_-]{35}"),
    ("google-oauth-secret", "GOCSPX-", r"(?-u:\b)GOCSPX-[A-Za-z0-9_-]{20,}"),
    ("npm-token", "npm_", r"(?-u:\b)npm_[A-Za-z0-9]{36}(?-u:\b)"),
    ("pypi-token", "pypi-AgE", r"(?-u:\b)pypi-AgE[A-Za-z0-9_-]{50,}"),
    ("sendgrid-key", "SG.", r"(?-u:\b)SG\.[A-Za-z0-9_-]{16,32}\.[A-Za-z0-9_-]{16,64}"),
    ("twilio-key", "SK", r"(?-u:\b)SK[0-9a-f]{32}(?-u:\b)"),
    ("digitalocean-token", "_v1_", r"(?-u:\b)do[opr]_v1_[a-f0-9]{64}"),
    ("huggingface-token", "hf_", r"(?-u:\b)hf_[A-Za-z0-9]{34,}(?-u:\b)"),
    ("linear-key", "lin_api_", r"(?-u:\b)lin_api_[A-Za-z0-9]{32,}"),
    ("vault-token", "hvs.", r"(?-u:\b)hvs\.[A-Za-z0-9_-]{24,}"),
    ("age-key", "AGE-SECRET-KEY-1", r"AGE-SECRET-KEY-1[A-Z0-9]{50,}"),
    ("jwt", "eyJ", r"(?-u:\b)eyJ[A-Za-z0-9_-]{10,}\.eyJ[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]{10,}"),
    (
        "private-key",
        "PRIVATE KEY",
        // Whole when its end is there; else what follows the head, since text may have been cut.
        r"-----BEGIN (?:[A-Z0-9]+ )*PRIVATE KEY(?: BLOCK)?-----(?:[A-Za-z0-9+/=\\:,.() \t\r\n-]{40,}?-----END (?:[A-Z0-9]+ )*PRIVATE KEY(?: BLOCK)?-----|[A-Za-z0-9+/=\\ \t\r\n]{40,})",
    ),
];

/// Every form.
pub(super) static FORMS: LazyLock<Vec<Form>> = LazyLock::new(|| {
    TABLE.iter().map(|&(kind, needle, source)| Form { kind, needle, source, compiled: OnceLock::new() }).collect()
});

/// Head of a key block, which a line of dashes follows.
const BLOCK: &str = "PRIVATE KEY";

/// Matches where any form may begin: one pass over the text, so that clean text costs one search and not forty. Behind its needle every
/// form but a block has at least these sixteen, and hardly any word that holds one (`TASKS`, `disk-image`) does.
pub(super) static CUES: LazyLock<Regex> = LazyLock::new(|| {
    let needles = TABLE.iter().map(|(_, needle, _)| *needle).filter(|needle| *needle != BLOCK);
    let needles: Vec<String> = needles.map(regex::escape).collect();
    Regex::new(&format!("(?:{})[A-Za-z0-9+/_.-]{{16}}|{BLOCK}", needles.join("|")))
        .expect("literals and a class are a pattern")
});
