//! `workflow-unverified-download`: a script from the network runs in a job that has something to lose.

use crate::audit::draft::{GateDraft, PlanDraft, ScopeDraft, StepDraft};
use crate::audit::finding_draft::FindingDraft;
use crate::audit::rule::{RecipeContext, Rule, RuleDoc};
use crate::effects::Effects;
use crate::finding::{Category, Confidence, Effort, Finding, Risk};
use crate::repo_map::RepoMap;
use crate::repo_map::recon::workflow::{Permissions, Workflow, WorkflowJob};

/// `curl … | sh` where it matters.
pub struct WorkflowUnverifiedDownload;

static DOC: RuleDoc = RuleDoc {
    id: "workflow-unverified-download",
    category: Category::Security,
    what: "`curl … | sh` and the like in a job of a workflow whose token may write, or one step of which is handed a secret",
    why: "whoever controls that address for a moment runs code with the token and the secrets of the job",
    quiet_when: "the download is checked against a hash or a signature, the job can only read and gets no secret, or the script is \
                 the installer of a toolchain (rustup, Homebrew, uv) or of this repository itself",
    example: "permissions: { contents: write }\n…\n- run: curl -fsSL https://example.com/install.sh | bash",
};

/// Installers whose publishers are trusted with more than that already.
const TOOLCHAINS: &[&str] = &[
    // A version of a release: what runs is at least the same every time.
    "/releases/download/",
    "sh.rustup.rs",
    "static.rust-lang.org",
    "brew.sh",
    "Homebrew/install",
    "astral.sh",
    "get.docker.com",
    "deno.land",
    "bun.sh",
    "get.pnpm.io",
    "nixos.org",
    "nodesource.com",
    "aka.ms",
    "install.determinate.systems",
    "raw.githubusercontent.com/nvm-sh",
    "cli.github.com",
];

/// What a workflow runs unchecked, and where.
struct Download<'a> {
    address: &'a str,
    /// The first job that does.
    job: &'a WorkflowJob,
    power: String,
    /// At least one.
    lines: Vec<u32>,
}

impl Rule for WorkflowUnverifiedDownload {
    fn doc(&self) -> &'static RuleDoc {
        &DOC
    }

    fn check(&self, map: &RepoMap, _effects: &Effects) -> Vec<Finding> {
        let mut found = Vec::new();
        for workflow in &map.recon.workflows {
            let mut known: Vec<Download<'_>> = Vec::new();
            for job in &workflow.jobs {
                let Some(power) = power(workflow, job) else { continue };
                for step in &job.steps {
                    let Some(script) = &step.run else { continue };
                    if ["sha256sum", "sha512sum", "shasum", "gpg ", "cosign", "minisign"]
                        .iter()
                        .any(|check| script.text.contains(check))
                    {
                        continue;
                    }
                    for (index, line) in script.text.lines().enumerate() {
                        if let Some(address) = piped(line) {
                            let line = script.file_line(index);
                            // The same script in another job of the file goes with the first.
                            match known.iter_mut().find(|own| own.address == address) {
                                Some(own) => own.lines.push(line),
                                None => known.push(Download { address, job, power: power.clone(), lines: vec![line] }),
                            }
                        }
                    }
                }
            }
            found.extend(known.iter().map(|download| finding(workflow, download)));
        }
        found
    }

    fn recipe(&self, finding: &Finding, _context: &RecipeContext<'_>) -> Option<PlanDraft> {
        let place = finding.location();
        let address = finding.title.split('`').nth(1)?.to_owned();
        Some(PlanDraft {
            title: format!("Check what `{}` downloads before running it", place.file),
            why: finding.message.clone(),
            steps: vec![StepDraft {
                title: "Pin and check the download".to_owned(),
                instruction: format!(
                    "`{}` {}: take a versioned release instead of `{address}`, keep its SHA-256 in the workflow, and run it only after \
                     `sha256sum --check`: `curl -fsSL -o install.sh URL && echo \"HASH  install.sh\" | sha256sum --check && bash install.sh`. \
                     If the tool has an action pinned to a commit or a package with a lock file, that is better still.",
                    place.file,
                    lines_of(finding)
                ),
                edits: Vec::new(),
                gates: vec![GateDraft::TextPresent { text: "sha256sum".to_owned(), file: place.file.clone() }],
            }],
            in_scope: vec![ScopeDraft { path: place.file.clone(), remark: "the step that downloads".to_owned() }],
            out_of_scope: vec![("the version that is installed".to_owned(), "an upgrade is another change".to_owned())],
            goals: vec![GateDraft::TextPresent { text: "sha256sum".to_owned(), file: place.file.clone() }],
            stop_conditions: vec![format!(
                "`{address}` offers no versioned download: report it and propose another way to get the tool"
            )],
            ..PlanDraft::default()
        })
    }
}

/// `line 3`, `lines 3 and 8`.
fn lines_of(finding: &Finding) -> String {
    let lines: Vec<String> = finding.evidence.iter().map(|place| place.start_line.to_string()).collect();
    match lines.as_slice() {
        [one] => format!("line {one}"),
        several => format!("lines {}", several.join(" and ")),
    }
}

/// The address of `curl ADDRESS | sh`.
fn piped(line: &str) -> Option<&str> {
    let line = line.trim();
    let (before, after) = line.split_once('|')?;
    let shell = after.trim_start().trim_start_matches("sudo ").trim_start_matches("-E ");
    let shell = shell.split([' ', ';', '&']).next().unwrap_or_default();
    if line.starts_with('#') || !matches!(shell, "sh" | "bash" | "zsh" | "/bin/sh" | "/bin/bash") {
        return None;
    }
    let mut words = before.split_whitespace();
    words.find(|word| matches!(*word, "curl" | "wget"))?;
    let address = words.map(|word| word.trim_matches(['"', '\''])).find(|word| word.starts_with("http"))?;
    (!address.contains("${") && !TOOLCHAINS.iter().any(|known| address.contains(known))).then_some(address)
}

/// What the job holds that is worth stealing.
fn power(workflow: &Workflow, job: &WorkflowJob) -> Option<String> {
    let permissions = if job.permissions == Permissions::Unsaid { workflow.permissions } else { job.permissions };
    let secret = job.steps.iter().flat_map(|step| &step.with).find_map(|(_, value)| {
        let name = value.split_once("secrets.")?.1;
        let end = name.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(name.len());
        Some(name[..end].to_owned()).filter(|name| name != "GITHUB_TOKEN")
    });
    match (secret, permissions) {
        (Some(name), _) => Some(format!("is handed the secret `{name}`")),
        (None, Permissions::Write | Permissions::WriteAll) => Some("has a token that may write".to_owned()),
        (None, Permissions::Unsaid | Permissions::Read) => None,
    }
}

fn finding(workflow: &Workflow, download: &Download<'_>) -> Finding {
    let Download { address, job, power, lines } = download;
    let draft = FindingDraft::at_lines(&DOC, &workflow.path, lines[0], lines[0], "download")
        .expecting(address)
        .title(format!("`{address}` runs unchecked in a job that {power}"))
        .message(format!(
            "The job `{}` of `{}` pipes `{address}` into a shell without checking it, and the job {power}: whoever controls that address for a \
             moment gets it.",
            job.id, workflow.path
        ))
        .impact(3)
        .effort(Effort::S)
        .risk(Risk::Low)
        .confidence(Confidence::Med);
    lines[1..].iter().fold(draft, |draft, line| draft.and_lines(&workflow.path, *line, *line, "download")).build()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pipe_into_a_shell_gives_the_address() {
        assert_eq!(piped("curl -fsSL https://a.dev/i.sh | sudo bash -s -- -y"), Some("https://a.dev/i.sh"));
        assert_eq!(piped("curl https://a.dev/i.json | jq ."), None);
        assert_eq!(piped("curl https://sh.rustup.rs | sh"), None);
        assert_eq!(piped("# curl https://a.dev/i.sh | sh"), None);
    }
}
