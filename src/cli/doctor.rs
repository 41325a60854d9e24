//! `improve doctor`: what works here, and what is missing.

use std::time::Duration;

use clap::Args;
use improve::cancel::Cancel;
use improve::git::Repository;
use improve::hint::Hint as _;
use improve::http::{Http, Timeouts};
use improve::init::hook;
use improve::model::agent_cli::AgentCli;
use improve::model::agent_cli::run::{located, not_installed, version};
use improve::model::probe::{Probe, probe};
use improve::model::provider::Located;
use improve::model::roles::{Bound, Via};
use improve::model::{ModelError, NanoDollars, Role, catalogue};
use improve::report::doctor::{
    AgentRow, DoctorDocument, PlaceRow, RepositoryRow, RoleRow, RoleState, SCHEMA_VERSION, SandboxRow, doctor,
};
use improve::report::json;
use improve::sandbox::Wanted;
use improve::settings::{FILE_NAME, Flags};
use improve::trust::{Trust, state_folder};
use improve::worktree::Place;
use improve::worktree::place::{cache_folder, repository_id};

use super::Context;
use super::exit_code::ExitCode;
use super::failure::Failure;
use super::globals::Workspace;
use super::models::{ModelArgs, places, variable};
use super::output::{Format, Kind, OutputArgs};
use super::sandbox;

/// Show which models are bound, whether they answer, what they cost, and where things are kept
#[derive(Debug, Args)]
pub struct DoctorArgs {
    #[command(flatten)]
    models: ModelArgs,
    #[command(flatten)]
    output: OutputArgs,
}

/// A doctor does not wait ten minutes.
const PATIENCE: Timeouts = Timeouts {
    connect: Duration::from_secs(5),
    first_byte: Duration::from_secs(15),
    idle: Duration::from_secs(15),
    total: Duration::from_secs(30),
};

/// Prints what works.
pub fn run(args: DoctorArgs, context: &Context) -> Result<ExitCode, Failure> {
    let DoctorArgs { models, output } = args;
    let outputs = output.outputs("improve doctor", &[Format::Human, Format::Json])?;
    let workspace = context.globals.workspace(models.flags(Flags::default()), &context.console)?;
    let http = Http::new(PATIENCE).map_err(|fault| Failure::usage(fault.to_string()))?;
    let agents = agents(&workspace, models.is_offline(), &context.cancel);
    let mut roles = Vec::new();
    for role in Role::ALL {
        let row = match workspace.settings.model.bound(role, &variable) {
            Ok(None) => RoleRow { because: "no model is bound".to_owned(), ..row(role) },
            Ok(Some(bound)) => match &bound.via {
                Via::Agent(agent) => found(role, agent, &agents, &workspace, unchecked(role, &bound)),
                Via::Server(_) if models.is_offline() => unchecked(role, &bound),
                Via::Server(server) => probed(server, &bound.model, &http, &context.cancel, unchecked(role, &bound)),
            },
            Err(error) => {
                RoleRow { state: RoleState::Broken, problem: Some(error.to_string()), hint: error.hint(), ..row(role) }
            }
        };
        roles.push(row);
    }
    let sandbox = sandbox_row(workspace.settings.sandbox.value);
    let (ledger, _) = places(&workspace);
    let place = |what: &str, path: &std::path::Path| PlaceRow {
        what: what.to_owned(),
        path: path.to_string_lossy().into_owned(),
    };
    let document = DoctorDocument {
        schema_version: SCHEMA_VERSION,
        healthy: roles.iter().all(|row| row.state != RoleState::Broken) && sandbox.problem.is_none(),
        roles,
        sandbox,
        agents,
        max_usd: workspace.settings.model.max_usd.value,
        max_usd_because: workspace.settings.model.max_usd.origin.to_string(),
        prices_as_of: catalogue::as_of().to_owned(),
        repository: repository(&workspace),
        places: vec![place("ledger", ledger.path()), place("caches", &cache_folder()), place("trust", &state_folder())],
    };
    let page = context.console.page(&workspace.root.to_string_lossy());
    outputs.write(&context.console, &|format, _| match format.kind() {
        Kind::Document | Kind::Lines => json::document(&document),
        Kind::Text => doctor(&document, &page),
    })?;
    Ok(if document.healthy { ExitCode::Done } else { ExitCode::Usage })
}

/// What is set up in the repository; what cannot be read is told and not fatal.
fn repository(workspace: &Workspace) -> RepositoryRow {
    let root = &workspace.root;
    let (git, git_problem) = match root.join(".git").exists().then(|| Repository::discover(root)) {
        Some(Ok(git)) => (Some(git), None),
        Some(Err(error)) => (None, Some(error.to_string())),
        None => (None, Some("not a git repository".to_owned())),
    };
    let hook = git.as_ref().and_then(|git| hook::keeper(git.root(), &git.hooks().ok()?).ok());
    let id = Place::of(root, &cache_folder()).map_or_else(|_| repository_id(root), |place| place.id());
    RepositoryRow {
        root: root.to_string_lossy().into_owned(),
        commit: git.as_ref().and_then(|git| git.head().ok().flatten()).map(|commit| commit.to_string()),
        git_problem,
        has_settings: root.join(FILE_NAME).is_file(),
        has_hook: hook.as_ref().is_some_and(hook::is_there),
        agreed_commands: Trust::read(&state_folder()).map_or(0, |trust| trust.agreed(&id)),
    }
}

fn sandbox_row(wanted: Wanted) -> SandboxRow {
    let (best, problem) = match sandbox::best(wanted) {
        Ok(best) => (best, None),
        Err(error) => {
            let anything = Wanted { exactly: None, ..Wanted::default() };
            (sandbox::best(anything).unwrap_or_default(), Some(format!("no command is run: {error}")))
        }
    };
    SandboxRow {
        level: best.level().word().to_owned(),
        missing: best.missing().to_vec(),
        hints: best.hints().to_vec(),
        problem,
    }
}

fn row(role: Role) -> RoleRow {
    RoleRow {
        role,
        model: None,
        because: String::new(),
        state: RoleState::Unbound,
        problem: None,
        hint: None,
        price: None,
        context: None,
    }
}

/// Every agent that can be bound, and where it is. Those that are there are asked for their version, all at once: each takes a second.
fn agents(workspace: &Workspace, offline: bool, cancel: &Cancel) -> Vec<AgentRow> {
    let own = &workspace.settings.model.agents;
    let replaced = |agent: &&AgentCli| own.iter().all(|it| it.name != agent.name);
    let known: Vec<&AgentCli> = AgentCli::built_in().iter().filter(replaced).chain(own).collect();
    let variables: Vec<_> = std::env::vars_os().collect();
    let row = |agent: &AgentCli| {
        let path = located(agent, &variables, Some(&workspace.root));
        let asked = path.as_ref().filter(|_| !offline);
        AgentRow {
            name: agent.name.clone(),
            version: asked.and_then(|path| version(agent, path, &variables, cancel).ok()),
            path: path.map(|path| path.to_string_lossy().into_owned()),
            tried: agent.tried.clone(),
            install: agent.install.clone(),
            executes: agent.to_execute().is_some(),
        }
    };
    std::thread::scope(|scope| {
        let threads: Vec<_> = known.into_iter().map(|agent| scope.spawn(move || row(agent))).collect();
        threads.into_iter().filter_map(|thread| thread.join().ok()).collect()
    })
}

/// What is known of a model before anybody was asked.
fn unchecked(role: Role, bound: &Bound) -> RoleRow {
    let price = bound.price().map(|price| {
        let per_million = |nanos: u64| NanoDollars(nanos.saturating_mul(1_000_000));
        format!("{} in, {} out", per_million(price.input), per_million(price.output))
    });
    RoleRow {
        model: Some(bound.name()),
        because: bound.because.to_string(),
        price,
        context: bound.context(),
        state: RoleState::Unchecked,
        ..row(role)
    }
}

/// An agent that is bound: it is there or not, and can do what the role asks for.
fn found(role: Role, agent: &AgentCli, agents: &[AgentRow], workspace: &Workspace, bound_row: RoleRow) -> RoleRow {
    let broken =
        |problem: String, hint| RoleRow { state: RoleState::Broken, problem: Some(problem), hint, ..bound_row.clone() };
    if role == Role::Executor && agent.to_execute().is_none() {
        let hint = format!("say so under [agents.{}.execute] of your own improve.toml", agent.name);
        return broken("nothing says how it is run to change files".to_owned(), Some(hint));
    }
    // A command that is bound stands in no table.
    let variables: Vec<_> = std::env::vars_os().collect();
    let is_there = agents.iter().any(|row| row.name == agent.name && row.path.is_some())
        || located(agent, &variables, Some(&workspace.root)).is_some();
    if is_there {
        return RoleRow { state: RoleState::Installed, ..bound_row };
    }
    let fault = not_installed(agent);
    broken(fault.to_string(), fault.hint())
}

fn probed(server: &Located, model: &str, http: &Http, cancel: &Cancel, bound_row: RoleRow) -> RoleRow {
    match probe(server, model, http, cancel) {
        Ok(Probe::There) => RoleRow { state: RoleState::Reachable, ..bound_row },
        Ok(Probe::NotListed) => RoleRow {
            state: RoleState::Broken,
            problem: Some(format!("{} answers and does not list this model", server.base_url)),
            hint: Some("check the model's id".to_owned()),
            ..bound_row
        },
        Ok(Probe::NoList(refusal)) => {
            RoleRow { problem: Some(format!("{} lists no models: {refusal}", server.base_url)), ..bound_row }
        }
        Err(error) => RoleRow {
            state: RoleState::Broken,
            problem: Some(error.to_string()),
            hint: error.hint().filter(|_| !matches!(error, ModelError::Refused { .. })),
            ..bound_row
        },
    }
}
