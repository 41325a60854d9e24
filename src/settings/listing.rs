//! What is set, as rows: the key, the value as TOML writes it, and where it came from.

use std::collections::BTreeMap;
use std::time::Duration;

use super::apply::ApplySettings;
use super::models::ModelSettings;
use super::{AuditEffort, Origin, Setting, Settings};
use crate::finding::Level;
use crate::model::Role;
use crate::repo_map::recon::CommandPurpose;
use crate::repo_map::recon::declared::DeclaredCall;

/// A setting that is in force.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// The key with its tables before it, as in `rules.n-plus-one`.
    pub key: String,
    /// The value as TOML; `None` where nothing is set, and a table that has many lines.
    pub value: Option<String>,
    /// Where it came from.
    pub origin: Origin,
}

impl Settings {
    /// Every setting there is a value for or could be one. Of providers and agents the names alone: headers may hold credentials.
    pub fn listing(&self) -> Vec<Row> {
        let Settings {
            include,
            exclude,
            advisories,
            effort,
            fail_on,
            gate_timeout,
            hook_timeout,
            jobs,
            sandbox,
            rules,
            commands,
            declared,
            model,
            apply,
            tables,
        } = self;
        // Nobody asked for one: whichever is the best there is.
        let level = (sandbox.origin != Origin::Default).then(|| sandbox.value.exactly.unwrap_or(sandbox.value.minimum));
        let mut rows = vec![
            row("include", include, |paths| list(paths)),
            row("exclude", exclude, |globs| list(globs)),
            row("advisories", advisories, |paths| list(paths)),
            row("effort", effort, |effort| quoted(effort_word(*effort))),
            row("fail-on", fail_on, |level| quoted(level_word(*level))),
            Row { value: gate_timeout.value.map(time), ..row("gate-timeout", gate_timeout, |_| String::new()) },
            row("hook-timeout", hook_timeout, |limit| time(*limit)),
            row("jobs", jobs, ToString::to_string),
            Row { value: level.map(|level| quoted(level.word())), ..row("sandbox", sandbox, |_| String::new()) },
        ];
        rows.extend(of_models(model));
        rows.extend(of_apply(apply));
        rows.extend(rules.iter().map(|(id, on)| row(&format!("rules.{}", name(id)), on, ToString::to_string)));
        rows.extend(commands.iter().map(|((folder, purpose), command)| {
            let folder = if folder.is_empty() { String::new() } else { format!("{}.", name(folder)) };
            row(&format!("commands.{folder}{}", purpose_word(*purpose)), command, |text| quoted(text))
        }));
        let calls: BTreeMap<String, &Vec<DeclaredCall>> =
            std::iter::once(("sources.client".to_owned(), &declared.sources))
                .chain(declared.sinks.iter().map(|(rule, calls)| (format!("sinks.{rule}"), calls)))
                .chain(declared.guards.iter().map(|(rule, calls)| (format!("guards.{rule}"), calls)))
                .collect();
        rows.extend(tables.iter().map(|(key, origin)| Row {
            key: key.split_once('.').map_or_else(|| key.clone(), |(table, rest)| format!("{table}.{}", name(rest))),
            value: calls.get(key).map(|calls| list(&calls.iter().map(written).collect::<Vec<_>>())),
            origin: origin.clone(),
        }));
        rows
    }
}

fn of_models(model: &ModelSettings) -> Vec<Row> {
    let ModelSettings { models, reasoning, max_usd, ask_above_usd, .. } = model;
    let mut rows = vec![
        row("max-usd", max_usd, |amount| amount.digits()),
        row("ask-above-usd", ask_above_usd, |amount| amount.digits()),
    ];
    for role in Role::ALL {
        let unset = |key: String| Row { key, value: None, origin: Origin::Default };
        let key = format!("models.{}", role.label());
        rows.push(
            models.get(&role).map_or_else(|| unset(key.clone()), |model| row(&key, model, |model| quoted(model))),
        );
        let key = format!("models.{}-reasoning", role.label());
        let hard = reasoning.get(&role);
        rows.push(hard.map_or_else(|| unset(key.clone()), |level| row(&key, level, |level| quoted(level.label()))));
    }
    rows
}

fn of_apply(apply: &ApplySettings) -> Vec<Row> {
    let ApplySettings {
        run_tests,
        run_lint,
        run_typecheck,
        require_approval,
        checkpoint_between_steps,
        stop_on_error,
        allow_plan_revision,
        allow_skip,
        show_estimated_time,
        log_progress,
        max_plan_steps,
    } = apply;
    let switches = [
        ("run-tests", run_tests),
        ("run-lint", run_lint),
        ("run-typecheck", run_typecheck),
        ("require-approval", require_approval),
        ("checkpoint-between-steps", checkpoint_between_steps),
        ("stop-on-error", stop_on_error),
        ("allow-plan-revision", allow_plan_revision),
        ("allow-skip", allow_skip),
        ("show-estimated-time", show_estimated_time),
        ("log-progress", log_progress),
    ];
    let rows = switches.into_iter().map(|(key, switch)| row(&format!("apply.{key}"), switch, ToString::to_string));
    rows.chain([row("apply.max-plan-steps", max_plan_steps, ToString::to_string)]).collect()
}

fn row<T>(key: &str, setting: &Setting<T>, value: impl Fn(&T) -> String) -> Row {
    Row { key: key.to_owned(), value: Some(value(&setting.value)), origin: setting.origin.clone() }
}

/// A string as TOML writes it.
fn quoted(text: &str) -> String {
    toml::Value::String(text.to_owned()).to_string()
}

fn list(texts: &[String]) -> String {
    format!("[{}]", texts.iter().map(|text| quoted(text)).collect::<Vec<_>>().join(", "))
}

/// A name in a dotted key.
fn name(text: &str) -> String {
    let bare = |character: char| character.is_ascii_alphanumeric() || matches!(character, '-' | '_');
    if !text.is_empty() && text.chars().all(bare) { text.to_owned() } else { quoted(text) }
}

/// A time in the largest unit that gives it whole.
fn time(time: Duration) -> String {
    let seconds = time.as_secs();
    quoted(&match (seconds.is_multiple_of(3600), seconds.is_multiple_of(60)) {
        (true, _) => format!("{}h", seconds / 3600),
        (false, true) => format!("{}m", seconds / 60),
        (false, false) => format!("{seconds}s"),
    })
}

fn written(call: &DeclaredCall) -> String {
    match call.argument {
        Some(argument) => format!("{}({})", call.pattern, argument + 1),
        None => call.pattern.clone(),
    }
}

fn effort_word(effort: AuditEffort) -> &'static str {
    match effort {
        AuditEffort::Quick => "quick",
        AuditEffort::Standard => "standard",
        AuditEffort::Deep => "deep",
    }
}

fn level_word(level: Option<Level>) -> &'static str {
    match level {
        None => "never",
        Some(Level::Low) => "low",
        Some(Level::Medium) => "medium",
        Some(Level::High) => "high",
    }
}

fn purpose_word(purpose: CommandPurpose) -> &'static str {
    match purpose {
        CommandPurpose::Install => "install",
        CommandPurpose::Build => "build",
        CommandPurpose::Typecheck => "typecheck",
        CommandPurpose::Test => "test",
        CommandPurpose::Lint => "lint",
        CommandPurpose::Format => "format",
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Flags, Layer, SettingsFile};
    use super::*;

    fn settings(text: &str, flags: Flags) -> Settings {
        let file = SettingsFile { path: "improve.toml".into(), text: text.to_owned(), layer: Layer::User };
        Settings::layered(&[file], &|_| None, flags).expect("the settings are sound")
    }

    fn said(settings: &Settings) -> Vec<String> {
        let rows = settings.listing().into_iter().filter(|row| row.origin != Origin::Default);
        rows.map(|row| format!("{} = {} ({})", row.key, row.value.unwrap_or_default(), row.origin)).collect()
    }

    #[test]
    fn each_value_is_listed_with_where_it_came_from() {
        let text = "exclude = [\"a b/**\"]\nhook-timeout = \"90s\"\nmax-usd = 2.5\n[rules]\nn-plus-one = false\n[commands.\"pkg/a\"]\ntest = \"make\"\n[apply]\nrun-tests = true\n[sinks]\nsql-injection = [\"db.raw(1)\"]\n[providers.gateway]\nprotocol = \"openai-chat\"\nbase-url = \"http://x\"\nheaders = { x-key = \"s3cret\" }\n";
        let flags = Flags { effort: Some("quick".into()), ..Flags::default() };
        assert_eq!(
            said(&settings(text, flags)),
            [
                "exclude = [\"a b/**\"] (improve.toml:1)",
                "effort = \"quick\" (--effort)",
                "hook-timeout = \"90s\" (improve.toml:2)",
                "max-usd = 2.5 (improve.toml:3)",
                "apply.run-tests = true (improve.toml:9)",
                "rules.n-plus-one = false (improve.toml:5)",
                "commands.\"pkg/a\".test = \"make\" (improve.toml:7)",
                "providers.gateway =  (improve.toml:13)",
                "sinks.sql-injection = [\"db.raw(1)\"] (improve.toml:11)",
            ]
        );
    }

    #[test]
    fn what_is_listed_can_be_written_into_the_file() {
        let lines = |settings: &Settings| -> Vec<String> {
            let set = settings.listing().into_iter();
            set.filter_map(|row| Some(format!("{} = {}\n", row.key, row.value?))).collect()
        };
        let text = "exclude = [\"a\\\"b\"]\nmax-usd = 0.25\ngate-timeout = \"1h\"\n[guards]\nall = [\"a.b\"]\n";
        let before = lines(&settings(text, Flags::default()));
        assert_eq!(lines(&settings(&before.concat(), Flags::default())), before);
    }
}
