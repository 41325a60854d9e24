//! The files that are written hold what they claim.

use saphyr::{LoadableYamlNode, Yaml};

use super::*;
use crate::settings::{Flags, Layer, Settings, SettingsFile};

fn settings(text: &str) -> Settings {
    let file = SettingsFile { path: "improve.toml".into(), text: text.to_owned(), layer: Layer::Repository };
    Settings::layered(&[file], &|_| None, Flags::default()).expect("settings")
}

#[test]
fn new_settings_change_nothing() {
    assert_eq!(settings(&NewFile::Settings.text("main")), Settings::default());
}

#[test]
fn every_line_of_new_settings_counts_once_its_mark_is_gone() {
    let is_setting =
        |line: &&str| line.starts_with('[') || line.split_once(" = ").is_some_and(|(key, _)| !key.contains(' '));
    let text = NewFile::Settings.text("main");
    let lines = text.lines().filter_map(|line| line.strip_prefix("# ")).filter(is_setting);
    let text: String = lines.map(|line| format!("{line}\n")).collect();
    let settings = settings(&text);
    assert_eq!(settings.rules_off(), ["stale-todo"]);
    assert_eq!(settings.include.value, ["src", "packages/api"]);
    assert_eq!(settings.hook_timeout.value, Settings::default().hook_timeout.value, "shown is the default");
    assert!(settings.declared.guards.contains_key("path-traversal"));
    assert!(crate::audit::rules::RULES.iter().any(|rule| rule.doc().id == "stale-todo"));
}

/// <https://agentskills.io>: a name as that of the folder, at most 64 characters; a description of at most 1024; compatibility 500.
#[test]
fn the_skill_has_the_head_that_agents_read() {
    let text = NewFile::Skill.text("main");
    let (head, body) = text.strip_prefix("---\n").and_then(|text| text.split_once("\n---\n")).expect("front matter");
    let head = Yaml::load_from_str(head).expect("YAML").remove(0);
    let field = |name: &str| head.as_mapping_get(name).and_then(Yaml::as_str).unwrap_or_default().to_owned();
    let path = NewFile::Skill.path(&|_| false);
    assert_eq!(
        path.parent().and_then(|folder| folder.file_name()).and_then(|name| name.to_str()),
        Some(&*field("name"))
    );
    assert!((1..=1024).contains(&field("description").chars().count()));
    assert!((1..=500).contains(&field("compatibility").chars().count()));
    assert!(body.lines().count() < 500);
}

#[test]
fn a_skill_goes_where_the_agents_of_the_repository_look() {
    let path = |there: &[&str]| NewFile::Skill.path(&|folder| there.contains(&folder));
    assert_eq!(path(&[]), PathBuf::from(".agents/skills/improve/SKILL.md"));
    assert_eq!(path(&[".claude"]), PathBuf::from(".claude/skills/improve/SKILL.md"));
    assert_eq!(path(&[".claude", ".agents"]), PathBuf::from(".agents/skills/improve/SKILL.md"));
}

/// What stands in a document under these keys.
fn of<'a>(document: &Yaml<'a>, path: &[&str]) -> Yaml<'a> {
    let found = path.iter().try_fold(document.clone(), |node, key| node.as_mapping_get(key).cloned());
    found.unwrap_or_else(|| panic!("{path:?}"))
}

#[test]
fn workflows_name_the_default_branch_and_as_many_parts_as_were_asked_for() {
    let one = NewFile::Workflow(None).text("trunk");
    let workflow = Yaml::load_from_str(&one).expect("YAML").remove(0);
    assert_eq!(of(&workflow, &["on", "push", "branches"]), Yaml::load_from_str("[trunk]").expect("YAML").remove(0));
    let several = NewFile::Workflow(Some(3)).text("#1");
    let workflow = Yaml::load_from_str(&several).expect("YAML").remove(0);
    assert_eq!(of(&workflow, &["on", "push", "branches"]), Yaml::load_from_str("['#1']").expect("YAML").remove(0));
    let shards = of(&workflow, &["jobs", "part", "strategy", "matrix", "shard"]);
    assert_eq!(shards, Yaml::load_from_str("[1/3, 2/3, 3/3]").expect("YAML").remove(0));
    for text in [one, several] {
        assert!(text.contains(ACTION) && !text.replace(ACTION, "").contains("REVISION"));
    }
}
