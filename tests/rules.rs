//! Every rule against its fixtures: what must be reported, what must not, and that exact edits leave code that parses.

#[path = "rules/compiled.rs"]
mod compiled;

use std::collections::BTreeMap;
use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use improve::advisories::Advisories;
use improve::audit::draft::{EditDraft, PlanDraft};
use improve::audit::rule::{RecipeContext, Rule};
use improve::audit::rules::RULES;
use improve::audit::{self, AuditOptions, Depth, engine};
use improve::effects::{self, Effects};
use improve::finding::Finding;
use improve::map::{self, MapOptions};
use improve::plan::expectation::Expectation;
use improve::planner::built_in::{self, PlanContext};
use improve::progress::NoProgress;
use improve::repo_map::facts::Lines;
use improve::repo_map::history::{History, LineHistory};
use improve::repo_map::{FileHistory, RepoMap};
use improve::settings::{Flags, Layer, Settings, SettingsFile};
use improve::tree::{EntryKind, Identity, Tree, TreeEntry, TreeError};

/// A tree in memory: a fixture plus the manifests that name the libraries it uses.
struct Fixture {
    files: BTreeMap<String, String>,
}

/// Libraries of the TypeScript fixtures.
const PACKAGE_JSON: &str = r#"{
  "name": "fixture",
  "dependencies": {
    "@prisma/client": "6",
    "bullmq": "5",
    "dataloader": "2",
    "pg": "8",
    "probot": "13"
  }
}
"#;

/// Libraries of the Rust fixtures.
const CARGO_TOML: &str = r#"[package]
name = "fixture"
version = "0.1.0"
edition = "2024"

[dependencies]
axum = "0.8"
regex = "1"
reqwest = "0.12"
sqlx = "0.8"
tokio = "1"
"#;

impl Tree for Fixture {
    fn entries(&self) -> Result<Vec<TreeEntry>, TreeError> {
        Ok(self
            .files
            .iter()
            .map(|(path, text)| TreeEntry {
                path: path.clone(),
                kind: EntryKind::File,
                bytes: text.len() as u64,
                identity: Identity::Unknown,
            })
            .collect())
    }

    fn read(&self, path: &str) -> Result<Vec<u8>, TreeError> {
        let text = self.files.get(path).ok_or_else(|| TreeError::Missing { path: path.to_owned() })?;
        Ok(text.clone().into_bytes())
    }
}

impl Fixture {
    /// The fixtures of a rule whose name starts with `kind`, each file in `src/`; paths named in the fixture stay.
    fn load(folder: &Path, kind: &str) -> Option<Fixture> {
        let mut files = BTreeMap::new();
        for entry in fs::read_dir(folder).ok()? {
            let path = entry.expect("the fixture folder can be listed").path();
            let name = path.file_name()?.to_str()?.to_owned();
            if path.is_dir() && name == kind {
                collect(&path, &path, &mut files);
            } else if path.is_file() && name.split('.').next() == Some(kind) {
                files.insert(format!("src/{name}"), fs::read_to_string(&path).expect("a fixture is text"));
            }
        }
        if files.is_empty() {
            return None;
        }
        if files.keys().any(|path| path.ends_with(".rs")) && !files.contains_key("Cargo.toml") {
            let modules: String = files
                .keys()
                .filter_map(|path| path.strip_prefix("src/")?.strip_suffix(".rs"))
                .filter(|name| *name != "lib")
                .map(|name| format!("pub mod {name};\n"))
                .collect();
            files.entry("src/lib.rs".to_owned()).or_insert(modules);
            files.insert("Cargo.toml".to_owned(), CARGO_TOML.to_owned());
        }
        files.entry("package.json".to_owned()).or_insert_with(|| PACKAGE_JSON.to_owned());
        Some(Fixture { files })
    }

    fn map(&self) -> RepoMap {
        let mut map = map::build(self, &MapOptions::default(), &self.history(), None, &NoProgress)
            .expect("a tree in memory can be mapped");
        map.line_history = Some(Arc::new(self.line_history()));
        map
    }
}

impl Fixture {
    /// What git would say: a fixture's `history.txt` holds a path, its changes in 90 days and, where a rule asks for it, the time of
    /// the last one a line.
    fn history(&self) -> History {
        let lines = self.files.get("history.txt").map_or("", String::as_str).lines();
        lines
            .filter_map(|line| {
                let mut parts = line.split(' ');
                let (path, churn) = (parts.next()?, parts.next()?);
                let last_change = parts.next().and_then(|time| time.parse().ok());
                let history = FileHistory { churn_90d: churn.parse().ok()?, last_change, ..FileHistory::default() };
                Some((path.to_owned(), history))
            })
            .collect()
    }
}

/// Changes of functions by the path and the first line; of any other as many as of its file.
#[derive(Debug)]
struct LinesOfFixture {
    files: History,
    lines: BTreeMap<(String, u32), u32>,
}

impl LineHistory for LinesOfFixture {
    fn commits(&self, path: &str, _text: &str, lines: Lines) -> Option<u32> {
        let own = self.lines.get(&(path.to_owned(), lines.start)).copied();
        own.or_else(|| Some(self.files.of(path)?.churn_90d))
    }
}

impl Fixture {
    /// What git would say of lines: a fixture's `lines.txt` holds a path, the first line of a function and its changes a line.
    fn line_history(&self) -> LinesOfFixture {
        let lines = self.files.get("lines.txt").map_or("", String::as_str).lines();
        let read = |line: &str| {
            let mut parts = line.split(' ');
            let place = (parts.next()?.to_owned(), parts.next()?.parse().ok()?);
            Some((place, parts.next()?.parse().ok()?))
        };
        LinesOfFixture { files: self.history(), lines: lines.filter_map(read).collect() }
    }
}

impl Fixture {
    /// A fixture's folder `advisories` is a database.
    fn advisories(&self) -> Option<Advisories> {
        let mut advisories = Advisories::default();
        for (path, text) in self.files.iter().filter(|(path, _)| path.starts_with("advisories/")) {
            advisories.add(path, text);
        }
        (!advisories.is_empty()).then_some(advisories)
    }
}

/// A fixture folder is a small repository; files at its top that are no manifests go to `src/`.
fn collect(root: &Path, folder: &Path, files: &mut BTreeMap<String, String>) {
    let mut entries: Vec<PathBuf> = fs::read_dir(folder)
        .expect("the fixture folder can be listed")
        .map(|entry| entry.expect("the fixture folder can be listed").path())
        .collect();
    entries.sort();
    for path in entries {
        if path.is_dir() {
            collect(root, &path, files);
            continue;
        }
        let relative =
            path.strip_prefix(root).expect("the file lies below the root").to_string_lossy().replace('\\', "/");
        let is_source = [".ts", ".tsx", ".js", ".jsx", ".rs"].iter().any(|end| relative.ends_with(end));
        let place = if is_source && !relative.contains('/') { format!("src/{relative}") } else { relative };
        files.insert(place, fs::read_to_string(&path).expect("a fixture is text"));
    }
}

/// What one rule reports about a fixture, through the whole engine.
fn report(rule: &dyn Rule, fixture: &Fixture) -> (RepoMap, Effects, Vec<Finding>) {
    let map = fixture.map();
    let effects = effects::effects(&map);
    let options = AuditOptions {
        only_rules: vec![rule.doc().id.to_owned()],
        depth: Depth::Deep,
        advisories: fixture.advisories().map(Arc::new),
        ..AuditOptions::default()
    };
    let audit = audit::run(&map, &effects, fixture, &options).expect("the rule exists");
    (map, effects, audit.findings)
}

/// A finding as the snapshot shows it, with what its recipe would do.
fn describe(finding: &Finding, draft: &PlanDraft) -> String {
    let mut text = String::new();
    let place = finding.location();
    let _ = writeln!(
        text,
        "{}:{} impact {} effort {} {} {}",
        place.file,
        place.start_line,
        finding.impact,
        finding.effort.label(),
        finding.confidence.label(),
        if finding.mechanical { "exact" } else { "by hand" }
    );
    let _ = writeln!(text, "  {}", finding.title);
    let _ = writeln!(text, "  {}", finding.message);
    for evidence in &finding.evidence {
        let first = evidence.quote.lines().next().unwrap_or_default().trim();
        let _ = writeln!(text, "  {} {}:{} {first}", evidence.role, evidence.file, evidence.start_line);
    }
    for hop in &finding.call_path {
        let _ = writeln!(text, "  > {}:{} {}", hop.file, hop.line, hop.symbol);
    }
    let _ = writeln!(text, "  plan: {}", draft.title);
    for step in &draft.steps {
        let _ = writeln!(text, "    step: {}", step.title);
    }
    text
}

/// The files an exact plan touches, as it leaves them.
fn apply(fixture: &Fixture, draft: &PlanDraft) -> BTreeMap<String, String> {
    let mut files = fixture.files.clone();
    let mut replaced: BTreeMap<&str, Vec<(usize, usize, &str)>> = BTreeMap::new();
    for edit in draft.steps.iter().flat_map(|step| &step.edits) {
        match edit {
            EditDraft::Replace { file, span, text } => {
                replaced.entry(file).or_default().push((span.start as usize, span.end as usize, text));
            }
            EditDraft::Create { file, text } => {
                files.insert(file.clone(), text.clone());
            }
            EditDraft::Delete { file } => {
                files.remove(file);
            }
        }
    }
    for (file, mut edits) in replaced {
        edits.sort_by_key(|edit| std::cmp::Reverse(edit.0));
        let text = files.get_mut(file).expect("an exact edit is about a file of the fixture");
        for (start, end, new) in edits {
            text.replace_range(start..end, new);
        }
    }
    files
}

fn folder(rule: &dyn Rule) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/audit").join(rule.doc().id)
}

#[test]
fn every_rule_fires_where_it_should() {
    for rule in RULES {
        let id = rule.doc().id;
        let fixture = Fixture::load(&folder(*rule), "fires")
            .unwrap_or_else(|| panic!("fixtures/audit/{id} has no fires.*: a rule needs both"));
        let (map, effects, findings) = report(*rule, &fixture);
        assert!(!findings.is_empty(), "{id} is silent about fires.*");
        let context = RecipeContext { map: &map, effects: &effects, tree: &fixture };
        let mut text = String::new();
        for finding in &findings {
            let draft =
                rule.recipe(finding, &context).unwrap_or_else(|| panic!("{id} has no recipe for: {}", finding.title));
            assert!(!draft.steps.is_empty(), "{id}: a plan needs a step");
            assert!(!draft.stop_conditions.is_empty(), "{id}: a plan needs STOP conditions");
            text.push_str(&describe(finding, &draft));
            if engine::is_mechanical(&draft) {
                let after = apply(&fixture, &draft);
                for (path, text_after) in after.iter().filter(|(path, after)| fixture.files.get(*path) != Some(after)) {
                    for line in similar::TextDiff::from_lines(&fixture.files[path], text_after).iter_all_changes() {
                        if line.tag() != similar::ChangeTag::Equal {
                            let _ = write!(text, "    {} {}", line.tag(), line.value());
                        }
                    }
                }
                let edited = Fixture { files: after };
                let broken: Vec<String> = edited
                    .map()
                    .files
                    .into_iter()
                    .filter(|file| file.facts.partly_read)
                    .map(|file| file.path)
                    .collect();
                assert!(broken.is_empty(), "{id}: the exact edit leaves code that does not parse: {broken:?}");
                let (_, _, left) = report(*rule, &edited);
                assert!(
                    left.iter().all(|other| other.fingerprint != finding.fingerprint),
                    "{id}: the exact edit does not remove the finding: {}",
                    finding.title
                );
            }
            text.push('\n');
        }
        insta::with_settings!({ prepend_module_to_snapshot => false, omit_expression => true }, {
            insta::assert_snapshot!(format!("rule-{id}"), text);
        });
    }
}

/// Whoever carries a plan out may change nothing outside its scope: what its steps ask for has to be in it.
#[test]
fn what_the_steps_of_a_plan_ask_for_is_in_its_scope() {
    let mut told: Vec<String> = Vec::new();
    for rule in RULES {
        let id = rule.doc().id;
        let fixture = Fixture::load(&folder(*rule), "fires").expect("every rule has such a fixture");
        let (map, effects, findings) = report(*rule, &fixture);
        let context = RecipeContext { map: &map, effects: &effects, tree: &fixture };
        for finding in &findings {
            let draft = rule.recipe(finding, &context).expect("every finding has a recipe");
            let plan = built_in::specify(finding, &draft, &map, &fixture, &PlanContext::default());
            let scope: Vec<&str> = plan.scope.in_scope.iter().filter_map(|entry| entry.path.as_deref()).collect();
            let gates = plan.steps.iter().flat_map(|step| &step.gates);
            let mut expected = gates.chain(plan.done_criteria.iter().flat_map(|criterion| &criterion.gates));
            let wants_tests = expected.any(|gate| matches!(gate.expectation, Expectation::NewTests(_)));
            let holds_tests = |path: &&str| path.contains(".test.") || path.contains(".spec.") || path.ends_with(".rs");
            if wants_tests && !scope.iter().any(holds_tests) {
                told.push(format!("{id}: new tests have no place in {scope:?}"));
            }
            for step in &plan.steps {
                let named = step.instruction.split("In `").skip(1).filter_map(|rest| rest.split('`').next());
                for path in named.filter(|path| fixture.files.contains_key(*path) && !scope.contains(path)) {
                    told.push(format!("{id}: a step changes {path}, which is not in {scope:?}"));
                }
            }
        }
    }
    assert!(told.is_empty(), "{told:#?}");
}

#[test]
fn every_rule_is_quiet_where_it_should_be() {
    // All of them, not those of the first rule alone: compiling takes longer than reading.
    let mut told: Vec<String> = Vec::new();
    for rule in RULES {
        let id = rule.doc().id;
        let fixture = Fixture::load(&folder(*rule), "quiet")
            .unwrap_or_else(|| panic!("fixtures/audit/{id} has no quiet.*: a rule needs both"));
        let (map, _, findings) = report(*rule, &fixture);
        let unread: Vec<&str> =
            map.files.iter().filter(|file| file.facts.partly_read).map(|file| file.path.as_str()).collect();
        assert!(unread.is_empty(), "{id}: quiet fixtures must parse: {unread:?}");
        told.extend(findings.iter().map(|finding| {
            format!("{id} {}:{} {}", finding.location().file, finding.location().start_line, finding.title)
        }));
    }
    assert!(told.is_empty(), "look-alikes are reported: {told:#?}");
}

#[test]
fn rule_ids_are_unique_and_every_fixture_folder_belongs_to_a_rule() {
    let mut ids: Vec<&str> = RULES.iter().map(|rule| rule.doc().id).collect();
    ids.sort_unstable();
    let count = ids.len();
    ids.dedup();
    assert_eq!(ids.len(), count, "two rules share an id");
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/audit");
    for entry in fs::read_dir(root).expect("fixtures/audit exists") {
        let name = entry.expect("the folder can be listed").file_name().to_string_lossy().into_owned();
        assert!(ids.contains(&name.as_str()), "fixtures/audit/{name} belongs to no rule");
    }
}

#[test]
fn texts_that_grow_by_each_other_are_followed_only_so_far() {
    let grows = "  one += two + ' OR ';\n  two += one + ' AND ';\n".repeat(40);
    let text = format!(
        "import {{ Pool }} from 'pg';\nconst pool = new Pool();\n\nexport async function search(req: {{ query: {{ q: string }} }}) {{\n  \
         let one = `SELECT * FROM posts WHERE title = '${{req.query.q}}'`;\n  let two = '';\n{grows}  return pool.query(one);\n}}\n"
    );
    let files =
        BTreeMap::from([("src/posts.ts".to_owned(), text), ("package.json".to_owned(), PACKAGE_JSON.to_owned())]);
    let rule = RULES.iter().find(|rule| rule.doc().id == "sql-injection").expect("the rule exists");
    let (_, _, findings) = report(*rule, &Fixture { files });
    let lines: Vec<u32> = findings.iter().map(|finding| finding.location().start_line).collect();
    assert_eq!(lines, [5]);
}

#[test]
fn sinks_and_guards_of_a_project_take_part_like_built_in_ones() {
    let text = "import { runOnServer } from '@company/shell';\nimport { mustBePlain } from '@company/checks';\n\n\
                export function restart(req: { body: { name: string } }) {\n  runOnServer('one', `restart ${req.body.name}`);\n}\n\n\
                export function stop(req: { body: { name: string } }) {\n  const { name } = req.body;\n  mustBePlain(name);\n  \
                runOnServer('one', `stop ${name}`);\n}\n";
    let files = BTreeMap::from([
        ("src/servers.ts".to_owned(), text.to_owned()),
        ("package.json".to_owned(), PACKAGE_JSON.to_owned()),
    ]);
    let fixture = Fixture { files };
    let lines = |settings: &str| {
        let file = SettingsFile { path: "improve.toml".into(), text: settings.to_owned(), layer: Layer::User };
        let settings =
            Settings::layered(&[file], &|_| None, Flags::default()).expect("the settings of this test are valid");
        let mut map = fixture.map();
        settings.declare_flows(&mut map.recon);
        let effects = effects::effects(&map);
        let options = AuditOptions { only_rules: vec!["command-injection".to_owned()], ..AuditOptions::default() };
        let audit = audit::run(&map, &effects, &fixture, &options).expect("the rule exists");
        audit.findings.iter().map(|finding| finding.location().start_line).collect::<Vec<_>>()
    };
    assert_eq!(lines(""), [] as [u32; 0]);
    assert_eq!(lines("[sinks]\ncommand-injection = ['runOnServer(1)']\n"), [] as [u32; 0]);
    let sinks = "[sinks]\ncommand-injection = ['runOnServer(2)']\n";
    // `mustBe…` alone says nothing that the rule knows.
    assert_eq!(lines(sinks), [5, 11]);
    assert_eq!(lines(&format!("{sinks}[guards]\nall = ['mustBePlain']\n")), [5]);
}
