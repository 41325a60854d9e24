//! Environment variables: which the code reads and how badly it wants them, which documents name, and which are nobody's own.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

use rayon::prelude::*;
use regex::Regex;

use crate::audit::pages::Page;
use crate::repo_map::{FileRole, RepoMap, SourceFile};
use crate::tree::Tree;

/// A place where the code reads a variable.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Reading {
    /// The variable.
    pub name: String,
    /// The file.
    pub file: String,
    /// The line.
    pub line: u32,
    /// What happens without it.
    pub need: Need,
}

/// What happens without a variable.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Need {
    /// The code has a default, or asks whether it is set.
    Optional,
    /// It is used as it is.
    Used,
    /// The program says that it must be there: `!`, `unwrap`, `expect`, `?`.
    Must,
}

/// `process.env.NAME` and its kin; `requireEnv("NAME")`. Nothing in it looks beyond ASCII, so that an automaton reads it in one pass.
static SCRIPT: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(
        r#"(?:(?-u:\b)(?:process\.env|Bun\.env|import\.meta\.env)(?:\?)?(?:\.(?P<a>[A-Z][A-Z0-9_]+)(?-u:\b)|\[[ \t\r\n]*["'](?P<b>[A-Z][A-Z0-9_]+)["'][ \t\r\n]*\])|(?-u:\b)Deno\.env\.get\([ \t\r\n]*["'](?P<c>[A-Z][A-Z0-9_]+)["'][ \t\r\n]*\)|[eE]nv[A-Za-z0-9_]*\([ \t\r\n]*["'](?P<d>[A-Z][A-Z0-9_]+)["'][ \t\r\n]*\))"#,
    )
    .expect("the pattern is fixed")
});
/// `env::var("NAME")`.
static RUST: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r#"\b(?:env::)?var(?:_os)?\(\s*"([A-Z][A-Z0-9_]+)"\s*\)"#).expect("the pattern is fixed")
});

/// `process.env[name]`, `env::var(format!(…))`: which one is read stands nowhere.
static COMPUTED: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r#"\bprocess\.env\[\s*[^"'\s]|\bvar\(\s*&?format!"#).expect("the pattern is fixed"));

/// What the code reads of its environment.
#[derive(Debug, Default)]
pub struct Variables {
    /// Every place where it reads a variable by its name, in order.
    pub readings: Vec<Reading>,
    /// It also reads variables whose names it puts together.
    pub are_computed: bool,
}

/// What the code of a repository reads of its environment.
pub fn read(map: &RepoMap, tree: &dyn Tree) -> Variables {
    let texts = map.files.par_iter().filter(|file| may_read(file));
    let mut variables = texts
        .filter_map(|file| {
            let text = tree.text(&file.path)?;
            Some(Variables { readings: in_file(file, &text), are_computed: COMPUTED.is_match(&text) })
        })
        .reduce(Variables::default, |mut all, more| {
            all.readings.extend(more.readings);
            Variables { readings: all.readings, are_computed: all.are_computed || more.are_computed }
        });
    variables.readings.sort();
    variables
}

/// Facts tell which texts are worth reading.
fn may_read(file: &SourceFile) -> bool {
    let names = |word: &str| file.facts.references.iter().any(|name| name.as_str() == word);
    let ships = matches!(file.role, FileRole::Production);
    ships && (names("env") || names("var") || names("var_os") || names("Deno"))
}

fn in_file(file: &SourceFile, text: &str) -> Vec<Reading> {
    let starts: Vec<usize> = std::iter::once(0).chain(text.match_indices('\n').map(|(at, _)| at + 1)).collect();
    let reading = |name: &str, at: usize, need: Need| Reading {
        name: name.to_owned(),
        file: file.path.clone(),
        line: starts.partition_point(|&start| start <= at) as u32,
        need,
    };
    if !file.language.is_ecmascript() {
        return RUST
            .captures_iter(text)
            .filter_map(|found| {
                let (all, name) = (found.get(0)?, found.get(1)?);
                let line = text[..all.start()].rsplit('\n').next().unwrap_or_default().trim_start();
                (!line.starts_with("//"))
                    .then(|| reading(name.as_str(), name.start(), need_in_rust(&text[all.end()..])))
            })
            .collect();
    }
    let mut readings = Vec::new();
    for found in SCRIPT.captures_iter(text) {
        let name = ["a", "b", "c", "d"].iter().find_map(|group| found.name(group)).expect("one of the forms matched");
        let end = found.get(0).map_or(text.len(), |all| all.end());
        let start = text[..name.start()].rfind('\n').map_or(0, |at| at + 1);
        let before = text[start..name.start()].trim_start();
        if !before.starts_with("//") && !before.starts_with('*') {
            readings.push(reading(name.as_str(), name.start(), need_in_script(before, &text[end..])));
        }
    }
    readings
}

fn need_in_script(before: &str, after: &str) -> Need {
    let tests = ["if (", "if(", "!", "&&", "||", "??", "typeof", "delete ", "while (", "Boolean("];
    // `Number(process.env.X) || 10`
    let rest = after.trim_start_matches([')', ']', ' ', '\n']);
    if rest.starts_with("!.") || (rest.starts_with('!') && !rest.starts_with("!=")) {
        return Need::Must;
    }
    let is_asked = ["??", "||", "&&", "?", "===", "!==", "==", "!=", "=", ".optional", ".default"]
        .iter()
        .any(|mark| rest.starts_with(mark));
    let is_tested = tests.iter().any(|mark| before.contains(mark));
    if is_asked || is_tested { Need::Optional } else { Need::Used }
}

fn need_in_rust(after: &str) -> Need {
    let rest: String = after.chars().filter(|c| !c.is_whitespace()).take(80).collect();
    let must = rest.starts_with('?')
        || rest.starts_with(".expect(")
        || rest.starts_with(".unwrap()")
        || (rest.starts_with(".context(") && rest.contains(")?"));
    if must { Need::Must } else { Need::Optional }
}

/// Set by the system, the runtime, a build or a host: nobody has to document them.
const FOREIGN: [&str; 46] = [
    "NODE_ENV",
    "CI",
    "HOME",
    "PATH",
    "USER",
    "USERNAME",
    "PWD",
    "SHELL",
    "TERM",
    "TZ",
    "LANG",
    "DEBUG",
    "EDITOR",
    "VISUAL",
    "PAGER",
    "TMPDIR",
    "TEMP",
    "TMP",
    "APPDATA",
    "LOCALAPPDATA",
    "USERPROFILE",
    "NO_COLOR",
    "FORCE_COLOR",
    "CLICOLOR",
    "COLORTERM",
    "COLUMNS",
    "NODE_OPTIONS",
    "NODE_PATH",
    "OUT_DIR",
    "TARGET",
    "HOST",
    "PROFILE",
    "DOCS_RS",
    "DISPLAY",
    "WAYLAND_DISPLAY",
    "PORT",
    "HOSTNAME",
    "NO_PROXY",
    "ALL_PROXY",
    "DYNO",
    "MODE",
    "DEV",
    "PROD",
    "SSR",
    "BASE_URL",
    "ANALYZE",
];
/// The same for names that begin with these.
const FOREIGN_STARTS: [&str; 54] = [
    "NPM_",
    "GITHUB_",
    "GITLAB_",
    "CI_",
    "RUNNER_",
    "VERCEL",
    "NETLIFY",
    "RENDER_",
    "RAILWAY_",
    "FLY_",
    "HEROKU",
    "CF_PAGES",
    "AWS_",
    "AMAZON_",
    "GOOGLE_",
    "GCLOUD_",
    "AZURE_",
    "K_SERVICE",
    "KUBERNETES_",
    "CARGO",
    "RUST",
    "SSH_",
    "XDG_",
    "TURBO_",
    "VITEST",
    "JEST_",
    "PLAYWRIGHT",
    "CYPRESS",
    "STORYBOOK",
    "NEXT_RUNTIME",
    "NEXT_PHASE",
    "NEXTAUTH_",
    "AUTH_",
    "SENTRY_",
    "OTEL_",
    "HTTP_PROXY",
    "HTTPS_PROXY",
    "SSL_CERT",
    "DOCKER_",
    "COMPOSE_",
    "POSTGRES_",
    "MYSQL_",
    "MARIADB_",
    "MINIO_",
    "PG",
    "REDIS_",
    "TEST_",
    "E2E_",
    "DD_",
    "WSL",
    "LC_",
    "LD_",
    "BUN_",
    "DENO_",
];

/// Whether a variable is somebody else's.
pub fn is_foreign(name: &str) -> bool {
    FOREIGN.contains(&name) || FOREIGN_STARTS.iter().any(|start| name.starts_with(start))
}

/// Whether a text is a template of an environment file: `.env.example`.
pub fn is_template(path: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or(path).to_ascii_lowercase();
    name.contains("env")
        && ["example", "sample", "template", "dist", "defaults"].iter().any(|word| name.contains(word))
        && !name.contains(".ts")
        && !name.contains(".js")
        && !name.ends_with(".md")
}

/// A variable that a text names.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct NamedVariable {
    /// The variable.
    pub name: String,
    /// The line.
    pub line: u32,
}

/// Variables of a `.env.example`, those that are commented out too.
pub fn in_template(text: &str) -> Vec<NamedVariable> {
    (1..)
        .zip(text.lines())
        .filter_map(|(line, text)| {
            let text = text.trim_start_matches(['#', ' ', '\t']);
            let name = text.strip_prefix("export ").unwrap_or(text).split_once('=')?.0;
            is_variable(name).then(|| NamedVariable { name: name.to_owned(), line })
        })
        .collect()
}

/// Variables that a page lists: alone in code at the head of a row, an item or a heading.
pub fn in_page(page: &Page) -> Vec<NamedVariable> {
    let mut seen = BTreeSet::new();
    page.spans
        .iter()
        .filter_map(|piece| {
            let name = piece.text.split('=').next().unwrap_or_default();
            let line = page.text.line(piece.line)?.trim_start();
            let head = line.trim_start_matches(['|', '-', '*', '#', ' ', '\t']);
            let is_listed = line.starts_with(['|', '-', '*', '#']) && head.starts_with(&format!("`{name}"));
            (is_variable(name) && is_listed && seen.insert(name.to_owned()))
                .then(|| NamedVariable { name: name.to_owned(), line: piece.line })
        })
        .collect()
}

fn is_variable(name: &str) -> bool {
    name.contains('_')
        && name.starts_with(|c: char| c.is_ascii_uppercase())
        && name.chars().all(|c| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_')
}

/// Texts that document variables, with what they name, by path.
pub fn documented(pages: &[Page], templates: &[(&str, &str)]) -> BTreeMap<String, Vec<NamedVariable>> {
    let from_pages = pages.iter().map(|page| (page.path.clone(), in_page(page)));
    let from_templates = templates.iter().map(|(path, text)| ((*path).to_owned(), in_template(text)));
    from_pages.chain(from_templates).filter(|(_, names)| !names.is_empty()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_asked_about_is_optional() {
        assert_eq!(need_in_script("const a = process.env.", " ?? 'x'"), Need::Optional);
        assert_eq!(need_in_script("if (process.env.", ") {"), Need::Optional);
        assert_eq!(need_in_script("key: process.env.", ","), Need::Used);
        assert_eq!(need_in_script("key: process.env.", "!,"), Need::Must);
        assert_eq!(need_in_script("Number(process.env.", ") || 10"), Need::Optional);
        assert_eq!(need_in_rust("\n    .expect(\"set\")"), Need::Must);
        assert_eq!(need_in_rust(".ok()"), Need::Optional);
    }

    #[test]
    fn templates_name_what_they_comment_out_too() {
        let named = in_template("# The key.\nAPI_KEY=\n# API_URL=x\nexport A_B=1\nlower=2\n");
        let names: Vec<(&str, u32)> = named.iter().map(|one| (one.name.as_str(), one.line)).collect();
        assert_eq!(names, [("API_KEY", 2), ("API_URL", 3), ("A_B", 4)]);
        assert!(is_template("apps/web/.env.example") && is_template(".env.sample") && !is_template("env.example.ts"));
    }
}
