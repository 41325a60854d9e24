//! What settings make of their layers.

use super::*;
use crate::hint::Hint;
use crate::model::roles::Via;

fn file(path: &str, text: &str) -> SettingsFile {
    SettingsFile { path: path.into(), text: text.into(), layer: Layer::User }
}

fn at(path: &str, line: u32) -> Origin {
    Origin::File { path: path.into(), line }
}

/// A repository's file over a user's.
fn both(user: &str, repository: &str) -> Result<Settings, SettingsError> {
    let repository = SettingsFile { layer: Layer::Repository, ..file("repo.toml", repository) };
    Settings::layered(&[file("user.toml", user), repository], &|_| None, Flags::default())
}

#[test]
fn a_repository_cannot_say_where_keys_go_nor_raise_what_is_spent() {
    let provider = "[providers.anthropic]\nprotocol = \"anthropic-messages\"\nbase-url = \"https://elsewhere\"";
    let error = both("", provider).unwrap_err();
    assert_eq!(error.to_string(), "repo.toml:2: `providers.anthropic.protocol` is for the user's own file");
    assert_eq!(both(provider, "").unwrap().model.providers[0].base_url, "https://elsewhere");
    let spend = |user, repository| both(user, repository).unwrap().model.max_usd.value.to_string();
    assert_eq!(spend("", "max-usd = 100"), "$5.00");
    assert_eq!(spend("", "max-usd = 0.5"), "$0.50");
    assert_eq!(spend("max-usd = 20", "max-usd = 100"), "$20.00");
}

#[test]
fn the_strictest_sandbox_of_the_files_counts_and_a_flag_says_which_it_is_this_time() {
    use crate::sandbox::Level;
    let least = |user, repository| both(user, repository).unwrap().sandbox.value.minimum;
    assert_eq!(least("sandbox = \"namespaces\"", "sandbox = \"none\""), Level::Namespaces);
    assert_eq!(least("", "sandbox = \"landlock\""), Level::Landlock);
    let flags = Flags { sandbox: Some("none".into()), ..Flags::default() };
    let set = Settings::layered(&[file("u", "sandbox = \"landlock\"")], &|_| None, flags).unwrap().sandbox.value;
    assert_eq!(set, Wanted { minimum: Level::Landlock, exactly: Some(Level::None) });
    assert!(both("sandbox = \"docker\"", "").is_err());
}

#[test]
fn a_repository_cannot_say_which_program_is_run() {
    let agent = "[agents.claude]\nprogram = \"./evil\"\narguments = []\nformat = \"claude\"";
    let error = both("", agent).unwrap_err();
    assert_eq!(error.to_string(), "repo.toml:2: `agents.claude.program` is for the user's own file");
    let settings = both(agent, "[models]\nplanner = 'claude/opus'").unwrap();
    let bound = settings.model.bound(Role::Planner, &|_| None).unwrap().unwrap();
    assert_eq!(bound.agent().map(|agent| agent.program.as_str()), Some("./evil"), "the user's own word holds");
    let like = both("", "[models]\nplanner = 'codex'").unwrap().model.bound(Role::Planner, &|_| None);
    assert_eq!(like.unwrap().unwrap().agent().map(|agent| agent.program.as_str()), Some("codex"));
}

#[test]
fn a_provider_and_a_price_of_ones_own_are_read_from_their_tables() {
    let text = r#"
[models]
planner = "here/big"
planner-reasoning = "high"

[providers.here]
protocol = "openai-chat"
base-url = "http://127.0.0.1:9/v1"
key_optional = true
[providers.here.headers]
x-team = "red"

[prices."here/big"]
input = "1"
output = "2.5"
cache-read = "0.1"
write-5m = "1"
write-1h = "1"
"#;
    let settings = layered(text).unwrap();
    let bound = settings.model.bound(Role::Planner, &|_| None).unwrap().unwrap();
    assert_eq!(bound.name(), "here/big");
    let Via::Server(located) = &bound.via else { panic!("a provider is a server") };
    assert!(located.is_ready());
    assert_eq!(located.provider.headers["x-team"], "red");
    assert_eq!(bound.price().map(|price| price.output), Some(2_500));
    assert_eq!(bound.reasoning.map(|level| level.label()), Some("high"));
    let error = layered("[providers.here]\nbase-url = \"http://x\"\nprotocl = \"openai-chat\"").unwrap_err();
    assert!(error.to_string().starts_with("improve.toml:2: `here`: unknown field `protocl`"), "{error}");
}

fn layered(text: &str) -> Result<Settings, SettingsError> {
    Settings::layered(&[file("improve.toml", text)], &|_| None, Flags::default())
}

fn fault(text: &str) -> (String, Option<String>) {
    let error = layered(text).expect_err("the text is faulty");
    (error.to_string(), error.hint())
}

#[test]
fn later_layers_win_and_say_where_they_come_from() {
    let files = [
        file("/home/me/improve.toml", "effort = 'deep'\njobs = 2\ngate-timeout = '10m'\n"),
        file("improve.toml", "jobs = 3\n[rules]\nn-plus-one = false\n"),
    ];
    let variable = |name: &str| (name == "IMPROVE_JOBS").then(|| "4".to_owned());
    let flags = Flags { effort: Some("quick".into()), ..Flags::default() };
    let settings = Settings::layered(&files, &variable, flags).expect("all values are good");
    assert_eq!(settings.effort, Setting { value: AuditEffort::Quick, origin: Origin::Flag("--effort") });
    assert_eq!(settings.jobs, Setting { value: 4, origin: Origin::Environment("IMPROVE_JOBS".into()) });
    assert_eq!(
        settings.gate_timeout,
        Setting { value: Some(Duration::from_secs(600)), origin: at("/home/me/improve.toml", 3) }
    );
    assert_eq!(settings.rules_off(), ["n-plus-one"]);
    assert_eq!(settings.fail_on, Setting { value: None, origin: Origin::Default });
}

#[test]
fn a_project_declares_its_own_sources_sinks_and_guards() {
    let text =
        "[sources]\nclient = ['job.data']\n[sinks]\nsql-injection = ['db.raw']\n[guards]\nall = ['mustBePlain(1)']\n";
    let declared = layered(text).expect("the settings are valid").declared;
    let call = |text: &str| DeclaredCall::parse(text).expect("is a call");
    assert_eq!(declared.sources, [call("job.data")]);
    assert_eq!(declared.sinks, BTreeMap::from([("sql-injection".to_owned(), vec![call("db.raw")])]));
    assert_eq!(declared.guards, BTreeMap::from([("all".to_owned(), vec![call("mustBePlain(1)")])]));
    assert_eq!(
        fault("[sinks]\nsql-injektion = ['db.raw']\n"),
        ("improve.toml:2: unknown key `sinks.sql-injektion`".into(), Some("did you mean `sql-injection`?".into()))
    );
    assert_eq!(
        fault("[sinks]\nssrf = ['get it']\n").0,
        "improve.toml:2: `sinks.ssrf` takes calls such as `db.raw` or `runOnServer(2)`, not `get it`"
    );
}

#[test]
fn unknown_keys_name_their_line_and_the_nearest_key() {
    assert_eq!(
        fault("jobs = 1\nexlude = ['a']\n"),
        ("improve.toml:2: unknown key `exlude`".into(), Some("did you mean `exclude`?".into()))
    );
    assert_eq!(
        fault("[commands.api]\ntset = 'x'\n"),
        ("improve.toml:2: unknown key `commands.api.tset`".into(), Some("did you mean `test`?".into()))
    );
    assert_eq!(fault("[rule]\nx = true\n").1, Some("did you mean `rules`?".into()));
}

#[test]
fn values_of_the_wrong_kind_are_refused() {
    assert_eq!(fault("exclude = 3\n").0, "improve.toml:1: `exclude` takes a list of strings, not `3`");
    assert_eq!(
        fault("effort = 'hard'\n").0,
        "improve.toml:1: `effort` takes `quick`, `standard` or `deep`, not `hard`"
    );
    assert_eq!(
        fault("gate-timeout = '0s'\n").0,
        "improve.toml:1: `gate-timeout` takes a time such as `90s`, `10m` or `1h`, not `0s`"
    );
    assert_eq!(
        fault("[rules]\na = 'maybe'\n").0,
        "improve.toml:2: `rules.a` takes `true`, `false`, \"on\" or \"off\", not `maybe`"
    );
}

#[test]
fn broken_toml_names_the_line() {
    let (message, _) = fault("jobs = 1\nexclude = [\n");
    assert!(message.starts_with("improve.toml:"), "{message}");
}

#[test]
fn configured_commands_replace_those_found() {
    let settings =
        layered("[commands]\ntest = 'make check'\n[commands.'packages/api']\nlint = 'eslint .'\n").expect("good");
    let found = ProjectCommand {
        purpose: CommandPurpose::Test,
        command: "npm test".into(),
        folder: String::new(),
        source: "package.json scripts.test".into(),
    };
    let mut recon = Recon::default();
    recon.packages.push(crate::repo_map::recon::Package {
        name: "a".into(),
        folder: String::new(),
        manifest: "package.json".into(),
        manager: crate::repo_map::recon::PackageManager::Npm,
        workspace_root: false,
        member_of: None,
        dependencies: vec![],
        commands: vec![found],
        entry_points: vec![],
        scripts: vec![],
        publishable: false,
    });
    settings.override_commands(&mut recon);
    let commands: Vec<_> =
        recon.packages[0].commands.iter().map(|command| (command.command.as_str(), command.source.as_str())).collect();
    assert_eq!(commands, [("make check", "improve.toml")]);
}

#[test]
fn who_wants_to_be_asked_is_asked_whatever_the_repository_says() {
    let set =
        both("[apply]\nrequire-approval = true\nmax_plan_steps = 7", "[apply]\nrequire-approval = false").unwrap();
    assert!(set.apply.require_approval.value);
    assert_eq!(set.apply.max_plan_steps.value, 7);
    let set = both("", "[apply]\nrun-tests = true\nallow-plan-revision = false").unwrap().apply;
    assert_eq!((set.run_tests.value, set.allow_plan_revision.value, set.checks().len()), (true, false, 1));
    let error = both("", "[apply]\nrun-test = true").unwrap_err().to_string();
    assert!(error.contains("apply.run-test"), "{error}");
    assert!(both("", "[apply]\nmax-plan-steps = 'many'").is_err());
}
