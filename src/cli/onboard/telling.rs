//! A planner at work on a guide: what is written already, what that costs that is not, what is said when it fails.

use std::path::PathBuf;

use improve::model::session::Session;
use improve::model::{ModelError, NanoDollars, Role};
use improve::onboard::Guide;
use improve::planner::onboard::{Prose, Shelf, Subject, WRITTEN, estimate, told, write};
use improve::report::onboard::{SectionText, written};
use improve::survey::Survey;
use improve::worktree::Place;
use improve::worktree::place::{cache_folder, repository_id};

use crate::cli::Context;
use crate::cli::exit_code::ExitCode;
use crate::cli::failure::Failure;
use crate::cli::globals::Workspace;
use crate::cli::models::{Foreseen, Line, ModelArgs, agents, agreed, budget, foretell, reading_copy};
use crate::cli::output::{Format, Outputs};
use crate::cli::planning::count;

/// What it takes to have a guide told.
pub(super) struct Telling<'a> {
    pub guide: &'a Guide,
    pub outputs: &'a Outputs,
    pub models: &'a ModelArgs,
    pub dry_run: bool,
    pub survey: &'a Survey,
    pub workspace: &'a Workspace,
    pub context: &'a Context,
}

impl Telling<'_> {
    /// Puts prose into `texts`, where a planner is bound. Sections that fail stay as they are.
    pub(super) fn tell(&self, texts: &mut [SectionText]) -> Result<ExitCode, Failure> {
        let settings = &self.workspace.settings;
        let Some(planner) = self.models.bound(Role::Planner, settings)? else { return Ok(ExitCode::Done) };
        // Who binds none has the planner refresh, too.
        let economy = self.models.bound(Role::Executor, settings)?.unwrap_or_else(|| planner.clone());
        let file = self.shelf();
        let mut shelf = Shelf::load(&file);
        let subjects = self.subjects(texts, &shelf);
        self.take_from_files(texts);
        let mut code = ExitCode::Done;
        if !subjects.is_empty() {
            let what = count(subjects.len(), "section to write", "sections to write");
            let cost = estimate(&subjects, &planner, &economy);
            // Where all are refreshed nobody asks the planner.
            let main = if subjects.iter().all(|subject| subject.before.is_some()) { &economy } else { &planner };
            let console = &self.context.console;
            if self.dry_run {
                foretell(main, &what, cost, Foreseen::FirstRound, settings, console);
            } else if !agreed(main, &what, cost, settings, console)? {
                return Ok(ExitCode::Done);
            }
            let line = Line::open(console, self.context.cancel.clone(), self.dry_run)?;
            let copy = reading_copy(self.survey, self.workspace);
            let agents = agents(&copy, self.workspace);
            let budget = budget(&[&planner, &economy], self.workspace, NanoDollars::ZERO);
            let session: Session<'_> = line.session(&agents, self.workspace, &budget, self.dry_run, self.context);
            line.voice.phase("writing the guide", subjects.len());
            let (map, tree) = (&self.survey.map, &self.survey.tree);
            let answers = write(&subjects, &session, &planner, &economy, map, tree, &|| line.voice.tick(1));
            drop(session);
            drop(line);
            code = self.take(&subjects, answers, &mut shelf)?;
            if self.dry_run {
                return Ok(code);
            }
            // What cannot be kept is paid for again, and nothing else.
            if let Err(error) = shelf.save(&file) {
                console.warn(&format!("{}: {error}; what was written is not kept", file.display()));
            }
        }
        self.put(texts, &shelf);
        Ok(code)
    }

    /// Where prose is kept: beside what else is known of the repository.
    fn shelf(&self) -> PathBuf {
        match Place::of(&self.workspace.root, &cache_folder()) {
            Ok(place) => place.cache().join("guide"),
            Err(_) => cache_folder().join(repository_id(&self.workspace.root)).join("guide"),
        }
    }

    /// Texts of a section for one role are kept apart from those for another.
    fn key(&self, text: &SectionText) -> String {
        let role = self.guide.role.map_or("everybody", |role| role.word());
        format!("{role} {}", text.section.word())
    }

    /// Sections for which there is no prose: neither kept, nor in a file that is written.
    fn subjects(&self, texts: &[SectionText], shelf: &Shelf) -> Vec<Subject> {
        let there = self.in_files();
        let wanted = texts.iter().filter(|text| WRITTEN.contains(&text.section));
        let missing = wanted.filter(|text| {
            let key = self.key(text);
            shelf.of(&key, &text.source).is_none()
                && !there.iter().any(|(section, source)| (*section, source) == (text.section, &text.source))
        });
        missing
            .map(|text| Subject {
                section: text.section,
                facts: text.markdown.clone(),
                files: self.guide.made_from.get(&text.section).cloned().unwrap_or_default(),
                source: text.source.clone(),
                before: shelf.last(&self.key(text)).map(|prose| prose.paragraphs.join("\n\n")),
            })
            .collect()
    }

    /// Sections that models wrote in the files to be written, with what they were made from.
    fn in_files(&self) -> Vec<(improve::onboard::SectionId, String)> {
        self.files().into_iter().map(|own| (own.section, own.source)).collect()
    }

    fn files(&self) -> Vec<improve::report::onboard::Written> {
        let markdown = self.outputs.files().iter().filter(|(format, _)| *format == Format::Markdown);
        markdown.filter_map(|(_, path)| std::fs::read_to_string(path).ok()).flat_map(|text| written(&text)).collect()
    }

    /// What a colleague had written stands in the file: it is not paid for again.
    fn take_from_files(&self, texts: &mut [SectionText]) {
        for own in self.files() {
            if let Some(text) = texts.iter_mut().find(|text| text.section == own.section && text.source == own.source) {
                text.by = own.by;
                text.markdown = own.markdown;
            }
        }
    }

    /// Keeps what was answered and says what was not.
    fn take(
        &self,
        subjects: &[Subject],
        answers: Result<Vec<Result<Prose, ModelError>>, ModelError>,
        shelf: &mut Shelf,
    ) -> Result<ExitCode, Failure> {
        let console = &self.context.console;
        let answers = match answers {
            Ok(answers) => answers,
            Err(error) => vec![Err(error)],
        };
        let mut code = ExitCode::Done;
        let (mut dropped, mut said) = (0, Vec::new());
        for (subject, answer) in subjects.iter().zip(answers) {
            match answer {
                Ok(prose) => {
                    dropped += prose.dropped;
                    let role = self.guide.role.map_or("everybody", |role| role.word());
                    shelf.keep(&format!("{role} {}", subject.section.word()), &subject.source, prose);
                }
                Err(ModelError::DryRun) => {}
                Err(ModelError::Cancelled) => return Err(Failure::interrupted()),
                Err(error) => {
                    code = if error.is_setup() { ExitCode::Usage } else { ExitCode::Incomplete };
                    if !said.contains(&error) {
                        console.fail(&Failure::from(error.clone()));
                        said.push(error);
                    }
                }
            }
        }
        if dropped > 0 {
            let what = count(dropped, "sentence", "sentences");
            console.note(&format!("{what} dropped: what they name is not there"));
        }
        if code != ExitCode::Done {
            console
                .note("sections without prose say what the map knows; the same command goes on where this one stopped");
        }
        Ok(code)
    }

    /// Puts what is kept into the sections.
    fn put(&self, texts: &mut [SectionText], shelf: &Shelf) {
        for text in texts {
            let key = self.key(text);
            if let Some(prose) = shelf.of(&key, &text.source).filter(|prose| !prose.paragraphs.is_empty()) {
                // A text from a file has it already.
                if text.by == improve::report::onboard::BUILT_IN {
                    text.markdown = told(&text.markdown, prose);
                    text.by.clone_from(&prose.by);
                }
            }
        }
    }
}
