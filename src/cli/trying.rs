//! Trying the commands of plans on the last commit, as far as the user agreed to them: a check that is green there proves nothing,
//! and one that cannot be run there never will.

use improve::gate::GateLimits;
use improve::plan::Plan;
use improve::repo_map::recon::{CommandPurpose, ProjectCommand};
use improve::sandbox::{Sandbox, SandboxError, Wanted};
use improve::survey::Survey;
use improve::trust::{Approved, Trust, commands_of, is_narrower, state_folder};
use improve::verifier::baseline::Baseline;
use improve::verifier::trial::{Trial, TrialRun};
use improve::worktree::Place;
use improve::worktree::place::cache_folder;

use super::Context;
use super::apply::limits;
use super::globals::Workspace;
use super::models::Voice;
use super::sandbox;

/// Tries the commands of plans.
pub struct Tryout<'a> {
    context: &'a Context,
    /// Where, and with which limits; `None` once it is known that nothing can be tried.
    ground: Option<(Place, Trust)>,
    limits: GateLimits,
    install: Option<String>,
    /// The repository's own commands, which `--trust` agrees to.
    own: Vec<String>,
    trial: Option<Trial>,
    wanted: Wanted,
    /// Chosen when the first command is to be run.
    sandbox: Option<Result<Sandbox, SandboxError>>,
}

impl<'a> Tryout<'a> {
    /// `trusts` is `--trust`: the repository's own commands may be run.
    pub fn new(survey: &Survey, workspace: &Workspace, trusts: bool, context: &'a Context) -> Tryout<'a> {
        let commands = survey.map.recon.packages.iter().flat_map(|package| &package.commands);
        let own = commands.map(ProjectCommand::at_root).collect();
        let install = survey.map.recon.command_for(CommandPurpose::Install, "");
        let ground = Place::of(&workspace.root, &cache_folder()).ok().zip(Trust::read(&state_folder()).ok());
        Tryout {
            context,
            ground,
            limits: limits(&workspace.settings),
            install: install.map(ProjectCommand::at_root),
            own: if trusts { own } else { Vec::new() },
            trial: None,
            wanted: workspace.settings.sandbox.value,
            sandbox: None,
        }
    }

    /// What the gates of `plan` give on the last commit, those that may be run.
    pub fn measure(&mut self, plan: &Plan, voice: &Voice) -> Option<Baseline> {
        let (place, trust) = self.ground.as_ref()?;
        let may_run = |command: &String| {
            let agreed = trust.check(&place.id(), std::slice::from_ref(command)).is_ok();
            agreed || self.own.iter().any(|own| command == own || is_narrower(command, own))
        };
        let commands: Vec<String> =
            commands_of(plan, self.install.as_deref()).into_iter().filter(|command| may_run(command)).collect();
        // Without its dependencies a repository's checks fail, and that says nothing about a plan.
        if commands.is_empty() || self.install.as_ref().is_some_and(|install| !commands.contains(install)) {
            return None;
        }
        let sandbox = match self.sandbox.get_or_insert_with(|| sandbox::best(self.wanted)) {
            Ok(sandbox) => &*sandbox,
            Err(why) => {
                voice.warn(&format!("the commands of plans are not tried on the last commit: {why}"));
                self.ground = None;
                return None;
            }
        };
        let approved = Approved::by_user(&commands);
        let run = TrialRun {
            approved: &approved,
            sandbox,
            limits: self.limits,
            observer: voice,
            cancel: &self.context.cancel,
        };
        let measured = match &mut self.trial {
            Some(trial) => trial.measure(plan, run).map_err(|error| error.to_string()),
            slot => match Trial::open(place, self.install.as_deref(), run) {
                Ok(Ok(trial)) => slot.insert(trial).measure(plan, run).map_err(|error| error.to_string()),
                Ok(Err(install)) => Err(format!("the install command failed: {install}")),
                Err(error) => Err(error.to_string()),
            },
        };
        match measured {
            Ok(baseline) => Some(baseline),
            Err(why) => {
                // It would fail for the next plan, too.
                self.ground = None;
                self.trial = None;
                if !self.context.cancel.is_cancelled() {
                    voice.warn(&format!("the commands of plans are not tried on the last commit: {why}"));
                }
                None
            }
        }
    }
}
