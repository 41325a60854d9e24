//! Advisories: what is known to be wrong with released versions of packages. Read from a database the user has, never fetched.
//!
//! Two formats: RustSec's advisory-db (Markdown with a TOML head) and OSV (one JSON object a file, or a list of them). Parsing is pure;
//! [`load`] reads folders.

use std::collections::BTreeMap;

use semver::{Op, Version, VersionReq};
use serde_json::Value;

pub mod load;
mod severity;

pub use severity::Severity;

/// Who publishes a package.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Ecosystem {
    /// crates.io.
    Cargo,
    /// The npm registry.
    Npm,
}

/// Advisories by package.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Advisories {
    by_package: BTreeMap<(Ecosystem, String), Vec<Advisory>>,
}

/// One thing that is wrong with some versions of a package.
#[derive(Debug, Clone, PartialEq)]
pub struct Advisory {
    /// `RUSTSEC-2020-0071`, `GHSA-…`.
    pub id: String,
    /// In a line.
    pub title: String,
    /// What kind of fault.
    pub kind: AdvisoryKind,
    /// How bad, where it says.
    pub severity: Option<Severity>,
    /// Which versions.
    affected: Affected,
    /// It concerns other systems than Linux and macOS alone.
    pub elsewhere: bool,
}

/// What kind of fault an advisory is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum AdvisoryKind {
    /// Something an attacker can use.
    Vulnerability,
    /// Undefined behaviour that safe code can reach.
    Unsound,
    /// Nobody maintains it.
    Unmaintained,
    /// Something worth knowing.
    Notice,
}

impl AdvisoryKind {
    /// From what RustSec says of an advisory that tells of no attack; OSV entries made from it say the same.
    fn of_informational(word: Option<&str>) -> AdvisoryKind {
        match word {
            None => AdvisoryKind::Vulnerability,
            Some("unsound") => AdvisoryKind::Unsound,
            Some("unmaintained") => AdvisoryKind::Unmaintained,
            Some(_) => AdvisoryKind::Notice,
        }
    }
}

/// Which versions an advisory is about.
#[derive(Debug, Clone, PartialEq)]
enum Affected {
    /// All but these.
    AllBut { patched: Vec<VersionReq>, unaffected: Vec<VersionReq> },
    /// From a version on, to an end if there is one; and versions by name.
    Ranges { ranges: Vec<(Version, Option<End>)>, versions: Vec<String> },
}

/// Where a range ends.
#[derive(Debug, Clone, PartialEq)]
enum End {
    /// The first version without the fault.
    Fixed(Version),
    /// The last version with it.
    Last(Version),
}

impl End {
    fn version(&self) -> &Version {
        match self {
            End::Fixed(version) | End::Last(version) => version,
        }
    }

    /// Whether a version stands before the end.
    fn holds(&self, version: &Version) -> bool {
        match self {
            End::Fixed(fixed) => version < fixed,
            End::Last(last) => version <= last,
        }
    }
}

impl Advisories {
    /// Adds what a file of a database says; a file of another kind adds nothing.
    pub fn add(&mut self, path: &str, text: &str) {
        if path.ends_with(".md") || path.ends_with(".toml") {
            if let Some((package, advisory)) = rustsec(text) {
                self.by_package.entry((Ecosystem::Cargo, package)).or_default().push(advisory);
            }
        } else if path.ends_with(".json")
            && let Ok(value) = serde_json::from_str::<Value>(text)
        {
            let entries = value.as_array().map_or(std::slice::from_ref(&value), Vec::as_slice);
            for entry in entries {
                for (package, advisory) in osv(entry) {
                    self.by_package.entry(package).or_default().push(advisory);
                }
            }
        }
    }

    /// Takes over what another one holds.
    pub fn extend(&mut self, other: Advisories) {
        for (package, advisories) in other.by_package {
            self.by_package.entry(package).or_default().extend(advisories);
        }
    }

    /// Nothing is known.
    pub fn is_empty(&self) -> bool {
        self.by_package.is_empty()
    }

    /// Whether anything is known of packages of this kind.
    pub fn covers(&self, ecosystem: Ecosystem) -> bool {
        self.by_package.keys().any(|(own, _)| *own == ecosystem)
    }

    /// What is wrong with this version, each fault once, in order of id.
    pub fn of(&self, ecosystem: Ecosystem, name: &str, version: &Version) -> Vec<&Advisory> {
        let known = self.by_package.get(&(ecosystem, name.to_owned())).map_or(&[][..], Vec::as_slice);
        let mut found: Vec<&Advisory> = known.iter().filter(|advisory| advisory.concerns(version)).collect();
        found.sort_by(|a, b| a.id.cmp(&b.id));
        found.dedup_by(|a, b| a.id == b.id);
        found
    }
}

impl Advisory {
    /// Whether it is about this version.
    pub fn concerns(&self, version: &Version) -> bool {
        match &self.affected {
            Affected::AllBut { patched, unaffected } => {
                // A pre-release of a mended version is taken as mended: requirements do not speak of it.
                let plain = Version::new(version.major, version.minor, version.patch);
                !patched.iter().chain(unaffected).any(|range| range.matches(version) || range.matches(&plain))
            }
            Affected::Ranges { ranges, versions } => {
                versions.iter().any(|own| *own == version.to_string())
                    || ranges
                        .iter()
                        .any(|(start, end)| start <= version && end.as_ref().is_none_or(|end| end.holds(version)))
            }
        }
    }

    /// The lowest version above this one without the fault, if one was released.
    pub fn fixed_in(&self, version: &Version) -> Option<Version> {
        let fixed: Vec<Version> = match &self.affected {
            Affected::AllBut { patched, .. } => patched.iter().filter_map(lower_bound).collect(),
            Affected::Ranges { ranges, .. } => ranges
                .iter()
                .filter_map(|(_, end)| match end {
                    Some(End::Fixed(version)) => Some(version.clone()),
                    Some(End::Last(_)) | None => None,
                })
                .collect(),
        };
        fixed.into_iter().filter(|fixed| fixed > version && !self.concerns(fixed)).min()
    }
}

/// The lowest version a requirement takes.
fn lower_bound(range: &VersionReq) -> Option<Version> {
    let from = range
        .comparators
        .iter()
        .find(|part| matches!(part.op, Op::GreaterEq | Op::Greater | Op::Caret | Op::Tilde | Op::Exact))?;
    let patch = from.patch.unwrap_or(0).saturating_add(u64::from(from.op == Op::Greater));
    Some(Version { pre: from.pre.clone(), ..Version::new(from.major, from.minor.unwrap_or(0), patch) })
}

/// A file of RustSec's advisory-db, with the package it is about; `None` for one that was withdrawn.
fn rustsec(text: &str) -> Option<(String, Advisory)> {
    let (head, body) = match text.split_once("```toml") {
        Some((_, rest)) => rest.split_once("```")?,
        None => (text, ""),
    };
    let table: toml::Table = head.parse().ok()?;
    let own = table.get("advisory")?.as_table()?;
    if own.contains_key("withdrawn") {
        return None;
    }
    let word = |key: &str| own.get(key).and_then(toml::Value::as_str);
    let versions = table.get("versions").and_then(toml::Value::as_table);
    let ranges = |key: &str| -> Vec<VersionReq> {
        let list = versions.and_then(|versions| versions.get(key)).and_then(toml::Value::as_array);
        list.into_iter().flatten().filter_map(|range| VersionReq::parse(range.as_str()?).ok()).collect()
    };
    let systems = table.get("affected").and_then(|affected| affected.get("os")).and_then(toml::Value::as_array);
    let title = word("title").or_else(|| body.lines().find_map(|line| line.strip_prefix("# "))).unwrap_or_default();
    Some((
        word("package")?.to_owned(),
        Advisory {
            id: word("id")?.to_owned(),
            title: title.replace('`', "").trim().to_owned(),
            kind: AdvisoryKind::of_informational(word("informational")),
            severity: word("cvss").and_then(Severity::of_vector),
            affected: Affected::AllBut { patched: ranges("patched"), unaffected: ranges("unaffected") },
            elsewhere: systems.is_some_and(|systems| {
                !systems.iter().any(|system| matches!(system.as_str(), Some("linux" | "macos")))
            }),
        },
    ))
}

/// What an OSV entry says, a package at a time.
fn osv(entry: &Value) -> Vec<((Ecosystem, String), Advisory)> {
    if !entry["withdrawn"].is_null() {
        return Vec::new();
    }
    let Some(id) = entry["id"].as_str() else { return Vec::new() };
    let vectors = entry["severity"].as_array().into_iter().flatten().filter_map(|one| one["score"].as_str());
    let severity = entry["database_specific"]["severity"]
        .as_str()
        .and_then(Severity::of_word)
        .or_else(|| vectors.filter_map(Severity::of_vector).max());
    let title = entry["summary"].as_str().or_else(|| entry["details"].as_str()?.lines().next()).unwrap_or_default();
    let mut found = Vec::new();
    for affected in entry["affected"].as_array().into_iter().flatten() {
        let ecosystem = match affected["package"]["ecosystem"].as_str() {
            Some("npm") => Ecosystem::Npm,
            Some("crates.io") => Ecosystem::Cargo,
            _ => continue,
        };
        let Some(name) = affected["package"]["name"].as_str() else { continue };
        let ranges = affected["ranges"].as_array().into_iter().flatten();
        let ranges: Vec<_> = ranges
            .filter(|range| matches!(range["type"].as_str(), Some("SEMVER" | "ECOSYSTEM")))
            .flat_map(|range| intervals(&range["events"]))
            .collect();
        let versions = affected["versions"].as_array().into_iter().flatten();
        // Ranges say more than a list of the versions that were known on some day.
        let versions =
            versions.filter(|_| ranges.is_empty()).filter_map(|version| version.as_str().map(str::to_owned)).collect();
        found.push((
            (ecosystem, name.to_owned()),
            Advisory {
                id: id.to_owned(),
                title: title.trim().to_owned(),
                kind: AdvisoryKind::of_informational(affected["database_specific"]["informational"].as_str()),
                severity,
                affected: Affected::Ranges { ranges, versions },
                elsewhere: false,
            },
        ));
    }
    found
}

/// `introduced`, `fixed` and `last_affected` events, which may stand in any order, as ranges.
fn intervals(events: &Value) -> Vec<(Version, Option<End>)> {
    let version = |text: &str| match text {
        "0" => Some(Version { pre: semver::Prerelease::new("0").unwrap_or_default(), ..Version::new(0, 0, 0) }),
        text => Version::parse(text).ok(),
    };
    let mut starts: Vec<Version> = Vec::new();
    let mut ends: Vec<End> = Vec::new();
    for event in events.as_array().into_iter().flatten() {
        let at = |key: &str| event[key].as_str().and_then(version);
        starts.extend(at("introduced"));
        ends.extend(at("fixed").map(End::Fixed).or_else(|| at("last_affected").map(End::Last)));
    }
    starts.sort();
    ends.sort_by(|a, b| a.version().cmp(b.version()));
    let end_of = |start: &Version| ends.iter().find(|end| end.holds(start)).cloned();
    starts
        .into_iter()
        .map(|start| {
            let end = end_of(&start);
            (start, end)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const TIME: &str = "```toml\n[advisory]\nid = \"RUSTSEC-2020-0071\"\npackage = \"time\"\ncvss = \"CVSS:3.1/AV:L/AC:L/PR:N/UI:N/S:U/C:N/I:N/A:H\"\n\n[affected]\nos = [\"linux\"]\n\n[versions]\npatched = [\">= 0.2.23\"]\nunaffected = [\"=0.2.0\"]\n```\n\n# Potential segfault in the `time` crate\n";
    const LODASH: &str = r#"{"id":"GHSA-1","summary":"Prototype pollution","database_specific":{"severity":"HIGH"},"affected":[
        {"package":{"ecosystem":"npm","name":"lodash"},"ranges":[{"type":"SEMVER","events":[{"introduced":"0"},{"fixed":"4.17.12"},{"introduced":"5.0.0"},{"last_affected":"5.1.0"}]}]},
        {"package":{"ecosystem":"PyPI","name":"lodash"}}]}"#;

    fn version(text: &str) -> Version {
        Version::parse(text).expect("a version")
    }

    #[test]
    fn rustsec_says_which_versions_are_mended() {
        let mut advisories = Advisories::default();
        advisories.add("crates/time/RUSTSEC-2020-0071.md", TIME);
        let found = advisories.of(Ecosystem::Cargo, "time", &version("0.1.43"));
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].title, "Potential segfault in the time crate");
        assert_eq!(found[0].fixed_in(&version("0.1.43")), Some(version("0.2.23")));
        for other in ["0.2.0", "0.2.23", "0.3.0", "0.2.23-beta.1"] {
            assert!(advisories.of(Ecosystem::Cargo, "time", &version(other)).is_empty(), "{other}");
        }
        assert!(advisories.of(Ecosystem::Npm, "time", &version("0.1.43")).is_empty());
    }

    #[test]
    fn osv_says_where_a_fault_begins_and_ends() {
        let mut advisories = Advisories::default();
        advisories.add("a.json", LODASH);
        let of = |text: &str| advisories.of(Ecosystem::Npm, "lodash", &version(text)).len();
        assert_eq!(
            [of("0.1.0"), of("4.17.11"), of("4.17.12"), of("5.0.0"), of("5.1.0"), of("5.1.1")],
            [1, 1, 0, 1, 1, 0]
        );
        let found = advisories.of(Ecosystem::Npm, "lodash", &version("4.0.0"))[0];
        assert_eq!(found.severity, Some(Severity::High));
        assert_eq!(found.fixed_in(&version("4.0.0")), Some(version("4.17.12")));
        assert_eq!(found.fixed_in(&version("5.0.0")), None);
    }

    #[test]
    fn events_may_stand_in_any_order() {
        let events = r#"[{"fixed":"1.2.0"},{"introduced":"2.0.0"},{"introduced":"1.0.0"}]"#;
        let ranges = intervals(&serde_json::from_str(events).expect("JSON"));
        assert_eq!(ranges, [(version("1.0.0"), Some(End::Fixed(version("1.2.0")))), (version("2.0.0"), None)]);
    }

    #[test]
    fn what_is_no_advisory_adds_nothing() {
        let mut advisories = Advisories::default();
        for (path, text) in [
            ("a.md", ""),
            ("a.md", "```toml\n[advisory]\n"),
            ("a.md", "```toml\n[advisory]\nid = \"x\"\n```"),
            ("a.json", "{"),
            ("a.json", "[1, null, {\"id\": 3}]"),
            ("a.json", "{\"id\":\"x\",\"affected\":[{\"package\":{\"ecosystem\":\"npm\"}}]}"),
            ("a.txt", TIME),
        ] {
            advisories.add(path, text);
        }
        assert!(advisories.is_empty());
    }

    #[test]
    fn withdrawn_advisories_are_left_out() {
        let mut advisories = Advisories::default();
        advisories.add("a.md", &TIME.replace("package =", "withdrawn = \"2021-01-01\"\npackage ="));
        advisories.add("a.json", &LODASH.replace("\"id\"", "\"withdrawn\":\"2021\",\"id\""));
        assert!(advisories.is_empty());
    }
}
