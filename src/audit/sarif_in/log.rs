//! A run of a SARIF log: the tool, its rules, its results. A field of another type than the format's is taken for missing.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::grade::{self, Said};
use super::place::{Place, Roots, Unit};
use super::{Imported, Imports, Replacement, words};
use crate::finding::Origin;

/// Characters of a rule's help text.
const HELP: usize = 2_000;
/// Places of a result that are read, of each kind.
const PLACES: usize = 64;
/// Folders that are given in terms of others, one after the other.
const BASES: usize = 8;

/// What is known of a run before its results are read.
struct Run<'a> {
    value: &'a Value,
    tool: String,
    /// The tool in our ids.
    prefix: String,
    version: Option<String>,
    /// The tool's own rules, and those of its extensions.
    components: Vec<Component<'a>>,
    roots: Roots,
    unit: Unit,
}

struct Component<'a> {
    value: &'a Value,
    rules: &'a [Value],
    by_id: BTreeMap<&'a str, usize>,
}

impl<'a> Component<'a> {
    fn of(value: &'a Value) -> Component<'a> {
        let rules = list(value, "rules");
        let by_id =
            rules.iter().enumerate().rev().filter_map(|(index, rule)| Some((text(rule, "id")?, index))).collect();
        Component { value, rules, by_id }
    }

    /// The rule of this id; `id/part` is a part of `id`.
    fn rule(&self, id: &str) -> Option<&'a Value> {
        let index = self.by_id.get(id).or_else(|| self.by_id.get(id.rsplit_once('/')?.0))?;
        self.rules.get(*index)
    }
}

fn list<'a>(value: &'a Value, key: &str) -> &'a [Value] {
    value.get(key).and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

fn text<'a>(value: &'a Value, key: &str) -> Option<&'a str> {
    value.get(key).and_then(Value::as_str).filter(|text| !text.trim().is_empty())
}

fn index(value: &Value, key: &str) -> Option<usize> {
    usize::try_from(value.get(key)?.as_u64()?).ok()
}

/// Takes the results of a run.
pub fn run(value: &Value, root: &str, imports: &mut Imports) {
    let run = Run::of(value, root);
    let left_out = &mut imports.left_out;
    let failed = list(value, "invocations")
        .iter()
        .any(|invocation| invocation.get("executionSuccessful").and_then(Value::as_bool) == Some(false));
    if failed {
        left_out.add(&run.tool, "the tool says that its run failed: there may be more", String::new());
    }
    if value.pointer("/externalPropertyFileReferences/results").is_some() {
        left_out.add(&run.tool, "they stand in other files, which are not read", String::new());
    }
    for result in list(value, "results") {
        if !result.is_object() {
            left_out.add(&run.tool, "they are no results by the format", String::new());
        } else if is_suppressed(result) {
            left_out.add(&run.tool, "the tool was told to suppress them", String::new());
        } else if text(result, "baselineState") == Some("absent") {
            left_out.add(&run.tool, "the tool says that they are gone", String::new());
        } else if matches!(text(result, "kind"), Some("pass" | "notApplicable" | "informational")) {
            // Says that nothing is wrong there.
        } else {
            imports.results.push(run.result(result));
        }
    }
}

/// A suppression counts where nobody has still to accept it.
fn is_suppressed(result: &Value) -> bool {
    let suppressions = list(result, "suppressions");
    let is_open = |suppression: &Value| {
        matches!(text(suppression, "status").or_else(|| text(suppression, "state")), Some("underReview" | "rejected"))
    };
    !suppressions.is_empty() && !suppressions.iter().any(is_open)
}

impl<'a> Run<'a> {
    fn of(value: &'a Value, root: &str) -> Run<'a> {
        let driver = value.pointer("/tool/driver").unwrap_or(&Value::Null);
        let name = text(driver, "name").unwrap_or("unnamed tool");
        let extensions = value.pointer("/tool/extensions").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
        let version = text(driver, "semanticVersion").or_else(|| text(driver, "version"));
        let unit = match text(value, "columnKind") {
            Some("unicodeCodePoints") => Unit::CodePoints,
            Some(_) | None => Unit::Utf16,
        };
        let mut run = Run {
            value,
            tool: words::line(name, 40),
            prefix: prefix(name),
            version: version.map(|version| words::line(version, 40)),
            components: std::iter::once(driver).chain(extensions).map(Component::of).collect(),
            roots: Roots { repository: root.trim_end_matches('/').replace('\\', "/"), tool: BTreeSet::new() },
            unit,
        };
        let bases = value.get("originalUriBaseIds").and_then(Value::as_object);
        let mut tool: BTreeSet<String> =
            bases.into_iter().flat_map(|bases| bases.keys()).filter_map(|id| run.base(id)).collect();
        let folders = list(value, "invocations").iter().filter_map(|it| it.pointer("/workingDirectory/uri")?.as_str());
        tool.extend(folders.filter_map(Roots::folder));
        run.roots.tool = tool;
        run
    }

    /// The folder that a base id stands for.
    fn base(&self, id: &str) -> Option<String> {
        let (mut id, mut below) = (id, String::new());
        for _ in 0..BASES {
            let base = self.value.get("originalUriBaseIds")?.get(id)?;
            let uri = text(base, "uri")?;
            if let Some(folder) = Roots::folder(uri) {
                return Some(format!("{folder}/{below}").trim_end_matches('/').to_owned());
            }
            below = format!("{}/{below}", uri.trim_end_matches('/'));
            id = text(base, "uriBaseId")?;
        }
        None
    }

    fn result(&self, result: &Value) -> Imported {
        let rule = self.rule(result).unwrap_or(&Value::Null);
        let id = text(result, "ruleId")
            .or_else(|| result.pointer("/rule/id")?.as_str())
            .or_else(|| text(rule, "id"))
            // Older clippy-sarif keeps it here.
            .or_else(|| result.pointer("/message/id")?.as_str())
            .unwrap_or("unnamed");
        let said_of = |key: &str| rule.get(key)?.get("text").or_else(|| rule.get(key)?.get("markdown"))?.as_str();
        let message = result.get("message").unwrap_or(&Value::Null);
        let string = |id: &str| {
            let of = |value: &Value, key: &str| Some(value.get(key)?.get(id)?.get("text")?.as_str()?.to_owned());
            of(rule, "messageStrings")
                .or_else(|| self.components.iter().find_map(|it| of(it.value, "globalMessageStrings")))
        };
        let mut words = words::message(message, &string);
        for key in ["shortDescription", "fullDescription"] {
            if words.is_empty() {
                words = words::line(said_of(key).unwrap_or_default(), 600);
            }
        }
        let help = said_of("help").or_else(|| said_of("fullDescription")).unwrap_or_default();
        let graded = grade::grade(&Said { result, rule, id, tool: &self.prefix });
        let own = id.strip_prefix(&self.prefix).map(|rest| rest.trim_start_matches([':', '/', '.']));
        let own = own.filter(|rest| !rest.is_empty()).unwrap_or(id);
        Imported {
            rule: format!("{}/{}", self.prefix, words::kebab(own)),
            category: graded.category,
            impact: graded.impact,
            confidence: graded.confidence,
            text: if words.is_empty() { words::line(id, 100) } else { words },
            origin: Origin {
                tool: self.tool.clone(),
                version: self.version.clone(),
                rule: words::line(id, 200),
                help_uri: text(rule, "helpUri").and_then(web_address),
                help: words::block(help, HELP),
                weaknesses: graded.weaknesses,
                fixes: Vec::new(),
            },
            places: self.places(list(result, "locations")),
            related: self.places(list(result, "relatedLocations")),
            flow: self.flow(result),
            fixes: list(result, "fixes").iter().take(PLACES).map(|fix| self.fix(fix)).collect(),
            unit: self.unit,
        }
    }

    /// The rule of a result: by index in the component it names, else by id.
    fn rule(&self, result: &Value) -> Option<&'a Value> {
        let reference = result.get("rule").unwrap_or(&Value::Null);
        let id = text(result, "ruleId").or_else(|| text(reference, "id"));
        let component = reference.get("toolComponent").unwrap_or(&Value::Null);
        let named = match (index(component, "index"), text(component, "name")) {
            // Extensions are counted from 0; the tool itself stands before them.
            (Some(index), _) => self.components.get(index.checked_add(1)?),
            (None, Some(name)) => self.components.iter().find(|it| text(it.value, "name") == Some(name)),
            (None, None) => self.components.first(),
        };
        let at = index(result, "ruleIndex").or_else(|| index(reference, "index"));
        let by_index = named.zip(at).and_then(|(named, at)| named.rules.get(at));
        let fits = |rule: &&Value| match (id, text(rule, "id")) {
            (Some(id), Some(own)) => id == own || id.strip_prefix(own).is_some_and(|rest| rest.starts_with('/')),
            (None, _) | (_, None) => true,
        };
        by_index.filter(fits).or_else(|| self.components.iter().find_map(|it| it.rule(id?)))
    }

    fn places(&self, locations: &[Value]) -> Vec<Place> {
        locations.iter().take(PLACES).filter_map(|location| self.location(location)).collect()
    }

    fn location(&self, location: &Value) -> Option<Place> {
        let physical = location.get("physicalLocation")?;
        let place = self.artifact(physical.get("artifactLocation")?)?;
        Some(
            place.with_region(physical.get("region")).saying(location.pointer("/message/text").and_then(Value::as_str)),
        )
    }

    /// The file of an artifact location: by URI, else by its place in the list of artifacts.
    fn artifact(&self, location: &Value) -> Option<Place> {
        let listed = || list(self.value, "artifacts").get(index(location, "index")?)?.get("location");
        let location = if text(location, "uri").is_some() { location } else { listed()? };
        let uri = text(location, "uri")?;
        let base = text(location, "uriBaseId").and_then(|id| self.base(id));
        let candidates = self.roots.candidates(uri, base.as_deref());
        Some(Place { candidates, said: words::line(uri, 120), ..Place::default() })
    }

    fn flow(&self, result: &Value) -> Vec<Place> {
        let Some(flow) = list(result, "codeFlows").first().and_then(|flow| list(flow, "threadFlows").first()) else {
            return Vec::new();
        };
        let steps = list(flow, "locations").iter().take(PLACES);
        steps.filter_map(|step| self.location(step.get("location")?)).collect()
    }

    /// The replacements of a fix; none when a part of it cannot be read.
    fn fix(&self, fix: &Value) -> Vec<Replacement> {
        let mut replacements = Vec::new();
        for change in list(fix, "artifactChanges") {
            for replacement in list(change, "replacements") {
                let place = change.get("artifactLocation").and_then(|location| self.artifact(location));
                let Some(place) = place else { return Vec::new() };
                // What is put in may also be binary: that is no text to plan with.
                let inserted = replacement.get("insertedContent");
                let text = match inserted.map(|content| content.get("text").and_then(Value::as_str)) {
                    Some(Some(text)) => text.to_owned(),
                    Some(None) => return Vec::new(),
                    None => String::new(),
                };
                replacements.push(Replacement { place: place.with_region(replacement.get("deletedRegion")), text });
            }
        }
        replacements
    }
}

/// The tool in our ids: `Semgrep OSS` is `semgrep`, `CodeQL` is `codeql`.
fn prefix(name: &str) -> String {
    let id = words::kebab(name);
    let short = ["-oss", "-pro", "-cli", "-sarif"].iter().find_map(|ending| id.strip_suffix(ending));
    short.filter(|short| !short.is_empty()).map_or(id.clone(), str::to_owned)
}

/// An address that may be shown: of the web, without spaces and marks.
fn web_address(uri: &str) -> Option<String> {
    let uri = uri.trim();
    let is_web = uri.starts_with("https://") || uri.starts_with("http://");
    let is_plain =
        uri.chars().all(|c| c.is_ascii_graphic() && !matches!(c, '<' | '>' | '`' | '"' | '(' | ')' | '[' | ']'));
    (is_web && is_plain && uri.len() <= 300).then(|| uri.to_owned())
}
