//! Lock files as lists of packages: what is installed, in which version, and where the file says so.

use semver::Version;

/// A package of a lock file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Locked {
    /// Its name in the registry.
    pub name: String,
    /// Its version.
    pub version: Version,
    /// The line that says so.
    pub line: u32,
    /// It is there for tests and tools alone, where the file tells.
    pub dev: bool,
    /// What its authors say to whoever still installs it, where the file tells.
    pub deprecated: Option<String>,
}

/// Packages of the registry that a lock file names; `None` when its format is not read.
pub fn read(path: &str, text: &str) -> Option<Vec<Locked>> {
    match path.rsplit('/').next()? {
        "Cargo.lock" => Some(cargo(text)),
        "package-lock.json" | "npm-shrinkwrap.json" => Some(npm(text)),
        "pnpm-lock.yaml" => Some(pnpm(text)),
        "yarn.lock" => Some(yarn(text)),
        "bun.lock" => Some(bun(text)),
        _ => None,
    }
}

fn numbered(text: &str) -> impl Iterator<Item = (u32, &str)> {
    (1..).zip(text.lines())
}

fn locked(name: &str, version: &str, line: u32) -> Option<Locked> {
    let version = Version::parse(version).ok()?;
    Some(Locked { name: name.to_owned(), version, line, dev: false, deprecated: None })
}

/// `[[package]]` with `name`, `version` and a `source`: without one the package is of this repository.
fn cargo(text: &str) -> Vec<Locked> {
    let mut found = Vec::new();
    let (mut name, mut version) = ("", ("", 0));
    for (number, line) in numbered(text) {
        let value =
            |key: &str| line.strip_prefix(key)?.trim().strip_prefix('=')?.trim().strip_prefix('"')?.strip_suffix('"');
        if line == "[[package]]" {
            (name, version) = ("", ("", 0));
        } else if let Some(own) = value("name") {
            name = own;
        } else if let Some(own) = value("version") {
            version = (own, number);
        } else if value("source").is_some_and(|source| source.starts_with("registry+") || source.starts_with("sparse+"))
        {
            found.extend(locked(name, version.0, version.1));
        }
    }
    found
}

fn indent_of(line: &str) -> usize {
    line.len() - line.trim_start().len()
}

/// The `packages` of lockfile version 2 and 3, as npm writes them: a key a line, indented as `package.json` is.
fn npm(text: &str) -> Vec<Locked> {
    let mut found: Vec<Locked> = Vec::new();
    let unit = text.lines().map(indent_of).find(|indent| *indent > 0).unwrap_or(2);
    let mut inside = false;
    let mut name: Option<&str> = None;
    for (number, line) in numbered(text) {
        let level = indent_of(line) / unit;
        let line = line.trim();
        if level == 1 {
            inside = line.starts_with("\"packages\": {");
        } else if inside && level == 2 {
            let key = line.strip_prefix('"').and_then(|rest| rest.split('"').next());
            name = key.and_then(|key| Some(key.rsplit_once("node_modules/")?.1));
        } else if let Some(own) = name.filter(|_| inside && level == 3) {
            let value = |key: &str| line.strip_prefix(key)?.strip_prefix(": ").map(|value| value.trim_end_matches(','));
            let word = |key: &str| value(key).map(|value| value.trim_matches('"'));
            if let Some(renamed) = word("\"name\"") {
                // The folder has the name under which the manifest lists it.
                name = Some(renamed);
            } else if let Some(version) = word("\"version\"") {
                found.extend(locked(own, version, number));
            } else if let Some(last) = found.last_mut().filter(|last| last.name == own) {
                last.dev |= value("\"dev\"") == Some("true");
                if let Some(message) = value("\"deprecated\"") {
                    last.deprecated = serde_json::from_str(message).ok();
                }
            }
        }
    }
    found
}

/// The `packages` of pnpm's lock files: `name@1.2.3:`, `/name@1.2.3(peer@1):`, `/name/1.2.3_peer@1:`.
fn pnpm(text: &str) -> Vec<Locked> {
    let mut found: Vec<Locked> = Vec::new();
    let mut inside = false;
    let mut open = false;
    for (number, line) in numbered(text) {
        let indent = indent_of(line);
        if indent == 0 && !line.is_empty() {
            inside = line == "packages:";
        } else if inside && indent == 2 {
            let own = pnpm_key(line.trim().trim_end_matches(':').trim_matches('\''), number);
            open = own.is_some();
            found.extend(own);
        } else if let Some(last) = found.last_mut().filter(|_| inside && open) {
            let line = line.trim();
            if indent > 4 && last.deprecated.as_deref() == Some("") {
                last.deprecated = Some(line.to_owned());
            } else if indent == 4 {
                last.dev |= line == "dev: true";
                if let Some(message) = line.strip_prefix("deprecated: ") {
                    // A message of several lines begins on the next one.
                    let block = message.starts_with(['|', '>']);
                    let plain = message.trim_matches(['\'', '"']).replace("''", "'");
                    last.deprecated = Some(if block { String::new() } else { plain });
                }
            }
        }
    }
    found
}

fn pnpm_key(key: &str, line: u32) -> Option<Locked> {
    let key = key.trim_start_matches('/');
    let key = key.split('(').next().unwrap_or(key);
    // Before version 6: `name/1.2.3`, and peers after an underscore.
    let old = key.match_indices('/').find_map(|(at, _)| locked(&key[..at], key[at + 1..].split('_').next()?, line));
    old.or_else(|| {
        let (at, _) = key.char_indices().skip(1).filter(|(_, c)| *c == '@').last()?;
        locked(&key[..at], &key[at + 1..], line)
    })
}

/// `"name@^1, name@^2":` and then `version "1.2.3"` (Yarn 1) or `version: 1.2.3`.
fn yarn(text: &str) -> Vec<Locked> {
    let mut found = Vec::new();
    let mut name: Option<&str> = None;
    for (number, line) in numbered(text) {
        if !line.starts_with([' ', '#']) && line.ends_with(':') {
            let first = line.trim_matches(['"', ':']).split(',').next().unwrap_or_default().trim_matches('"');
            let at = first.char_indices().skip(1).find(|(_, c)| *c == '@').map(|(at, _)| at);
            let local =
                ["@workspace:", "@patch:", "@link:", "@portal:", "@file:"].iter().any(|part| first.contains(part));
            // `old@npm:new@1`: the name in the registry comes second.
            name = at.filter(|_| !local).map(|at| {
                let range = first[at + 1..].strip_prefix("npm:").unwrap_or_default();
                let renamed = range.char_indices().skip(1).find(|(_, c)| *c == '@').map(|(end, _)| &range[..end]);
                renamed
                    .filter(|own| !own.starts_with(|c: char| c.is_ascii_digit() || "^~>=<*".contains(c)))
                    .unwrap_or(&first[..at])
            });
        } else if let Some(rest) = line.strip_prefix("  version")
            && let Some(own) = name.take()
        {
            found.extend(locked(own, rest.trim_matches([':', ' ', '"']), number));
        }
    }
    found
}

/// `"name": ["name@1.2.3", …`.
fn bun(text: &str) -> Vec<Locked> {
    let mut found = Vec::new();
    let mut inside = false;
    for (number, line) in numbered(text) {
        if line.starts_with("  \"") {
            inside = line.starts_with("  \"packages\"");
        } else if inside && let Some(key) = line.split("[\"").nth(1).and_then(|rest| rest.split('"').next()) {
            let cut = key.char_indices().skip(1).find(|(_, c)| *c == '@').map(|(at, _)| at);
            found.extend(cut.and_then(|at| locked(&key[..at], &key[at + 1..], number)));
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(path: &str, text: &str) -> Vec<String> {
        let found = read(path, text).expect("a lock file");
        found
            .iter()
            .map(|own| format!("{}@{}:{}{}", own.name, own.version, own.line, if own.dev { " dev" } else { "" }))
            .collect()
    }

    #[test]
    fn every_format_gives_names_versions_and_lines() {
        let cargo = "version = 4\n\n[[package]]\nname = \"own\"\nversion = \"0.1.0\"\n\n[[package]]\nname = \"time\"\nversion = \"0.1.43\"\nsource = \"registry+https://github.com/rust-lang/crates.io-index\"\n";
        assert_eq!(names("Cargo.lock", cargo), ["time@0.1.43:9"]);
        let npm = "{\n  \"packages\": {\n    \"\": {\n      \"version\": \"1.0.0\"\n    },\n    \"node_modules/a/node_modules/@b/c\": {\n      \"version\": \"1.2.3\",\n      \"deprecated\": \"use \\\"d\\\"\",\n      \"dev\": true\n    }\n  }\n}\n";
        assert_eq!(names("x/package-lock.json", npm), ["@b/c@1.2.3:7 dev"]);
        assert_eq!(read("package-lock.json", npm).expect("read")[0].deprecated.as_deref(), Some("use \"d\""));
        let pnpm = "importers:\n  .:\n    a: 1\npackages:\n\n  '@b/c@1.2.3':\n    resolution: {}\n    deprecated: old\n\n  /d@2.0.0(e@1.0.0):\n    dev: true\n\n  /f/3.0.0:\n    dev: false\n\nsnapshots:\n\n  g@4.0.0: {}\n";
        assert_eq!(names("pnpm-lock.yaml", pnpm), ["@b/c@1.2.3:6", "d@2.0.0:10 dev", "f@3.0.0:13"]);
        let classic = "# yarn lockfile v1\n\n\"@b/c@^1.0.0\", \"@b/c@^1.2.0\":\n  version \"1.2.3\"\n\nd@^2:\n  version \"2.0.0\"\n";
        assert_eq!(names("yarn.lock", classic), ["@b/c@1.2.3:4", "d@2.0.0:7"]);
        let berry = "\"@b/c@npm:^1.0.0\":\n  version: 1.2.3\n\n\"own@workspace:.\":\n  version: 0.0.0\n\n\"old@npm:new@^1\":\n  version: 1.0.0\n";
        assert_eq!(names("yarn.lock", berry), ["@b/c@1.2.3:2", "new@1.0.0:8"]);
        let bun = "{\n  \"workspaces\": {\n    \"\": [\"x@1.0.0\"]\n  },\n  \"packages\": {\n    \"c\": [\"@b/c@1.2.3\", \"\", {}, \"sha\"],\n  }\n}\n";
        assert_eq!(names("bun.lock", bun), ["@b/c@1.2.3:6"]);
    }

    #[test]
    fn lock_files_of_other_times_and_hands_are_read() {
        let tabs = "{\n\t\"packages\": {\n\t\t\"node_modules/old\": {\n\t\t\t\"name\": \"new\",\n\t\t\t\"version\": \"1.2.3\"\n\t\t}\n\t}\n}\n";
        assert_eq!(names("package-lock.json", tabs), ["new@1.2.3:5"]);
        let peers = "packages:\n\n  /@b/c/1.2.3_react@17.0.2:\n    deprecated: >-\n      use d\n      instead\n\n  /e/2.0.0_abc:\n    deprecated: 'it''s old'\n";
        assert_eq!(names("pnpm-lock.yaml", peers), ["@b/c@1.2.3:3", "e@2.0.0:8"]);
        let found = read("pnpm-lock.yaml", peers).expect("read");
        let reasons: Vec<_> = found.iter().map(|own| own.deprecated.as_deref()).collect();
        assert_eq!(reasons, [Some("use d"), Some("it's old")]);
    }

    #[test]
    fn broken_lock_files_give_nothing() {
        for path in ["Cargo.lock", "package-lock.json", "pnpm-lock.yaml", "yarn.lock", "bun.lock"] {
            for text in [
                "",
                "\"",
                "[[package]]\nsource = \"registry+x\"",
                "packages:\n  @:\n  '\n",
                "  \"packages\": {\n    \"é\": {\n      \"version\": 1",
                "@:\n  version",
                "\"@\":\n  version \"1\"",
            ] {
                assert!(names(path, text).is_empty(), "{path}: {text}");
            }
        }
        assert_eq!(read("go.sum", ""), None);
    }
}
