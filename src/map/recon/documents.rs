//! Documents that state intent, and files that say how the project is checked and shipped: known by name and place.

use super::Ground;
use crate::repo_map::recon::{Document, DocumentKind};

/// Formats of prose.
const PROSE_EXTENSIONS: &[&str] = &["md", "mdx", "rst", "txt", "adoc", "markdown"];
/// Documents beyond this size are not opened for their title.
const MAX_TITLE_BYTES: usize = 256 << 10;

/// Documents that state intent, sorted by path.
pub(super) fn read(ground: &Ground<'_>) -> Vec<Document> {
    ground
        .files
        .iter()
        .filter_map(|path| {
            let kind = kind(path)?;
            let title =
                ground.tree.text(path).filter(|text| text.len() <= MAX_TITLE_BYTES).and_then(|text| title(&text));
            Some(Document { path: (*path).to_owned(), kind, title, links: Vec::new(), commands: Vec::new() })
        })
        .collect()
}

fn kind(path: &str) -> Option<DocumentKind> {
    // Most files are code, and most of the time goes into looking at their folders.
    let name = path.rsplit('/').next().unwrap_or(path);
    let may_be = match name.rsplit_once('.') {
        Some((_, extension)) => {
            PROSE_EXTENSIONS.iter().any(|prose| prose.eq_ignore_ascii_case(extension))
                || extension.eq_ignore_ascii_case("mdc")
                || extension.to_ascii_lowercase().ends_with("rules")
        }
        None => true,
    };
    if !may_be {
        return None;
    }
    let lower = path.to_ascii_lowercase();
    let (folder, name) = lower.rsplit_once('/').unwrap_or(("", &lower));
    let folders: Vec<&str> = folder.split('/').filter(|name| !name.is_empty()).collect();
    if matches!(name, ".cursorrules" | ".windsurfrules" | ".clinerules")
        || matches!(lower.as_str(), ".github/copilot-instructions.md")
        || (folder.ends_with(".cursor/rules") && name.ends_with(".mdc"))
    {
        return Some(DocumentKind::Agents);
    }
    let (stem, extension) = name.rsplit_once('.').unwrap_or((name, ""));
    if !extension.is_empty() && !PROSE_EXTENSIONS.contains(&extension) {
        return None;
    }
    // Plans quote what is wrong with the documents they are about.
    if matches!(folders.first(), Some(&"plans" | &"advisor-plans")) {
        return None;
    }
    // Prose inside of code folders is data of the program or of its tests.
    if folders
        .iter()
        .any(|name| matches!(*name, "test" | "tests" | "fixtures" | "__tests__" | "node_modules" | "testdata"))
    {
        return None;
    }
    let in_folder = |names: &[&str]| folders.iter().any(|folder| names.contains(folder));
    match stem {
        // `README.zh-Hans.md` too.
        stem if stem.split(['.', '_', '-']).next() == Some("readme") => return Some(DocumentKind::Readme),
        "agents" | "claude" | "gemini" if extension == "md" => return Some(DocumentKind::Agents),
        "contributing" => return Some(DocumentKind::Contributing),
        "changelog" | "changes" | "history" if folders.len() < 3 => return Some(DocumentKind::Changelog),
        // `changelog/CHANGELOG-v0.md`.
        stem if stem.split(['.', '_', '-']).next() == Some("changelog") => return Some(DocumentKind::Changelog),
        _ => {}
    }
    if extension.is_empty() {
        return None;
    }
    if in_folder(&["adr", "adrs", "decisions", "rfcs", "rfc", "rfd"]) {
        return Some(DocumentKind::Decision);
    }
    let designs = ["context", "design", "product", "architecture", "spec", "vision", "roadmap"];
    if designs.contains(&stem) && (folders.len() < 2 || in_folder(&["docs", "doc"])) {
        return Some(DocumentKind::Design);
    }
    // Pages of a documentation site are many and say little about intent: those at the top of `docs` are enough.
    let is_docs = folders.first().is_some_and(|first| matches!(*first, "docs" | "doc")) && folders.len() <= 2;
    is_docs.then_some(DocumentKind::Docs)
}

/// The first heading, in Markdown or as an underlined line.
fn title(text: &str) -> Option<String> {
    let mut lines = text.lines().take(200).peekable();
    let mut in_fence = false;
    while let Some(line) = lines.next() {
        if line.trim_start().starts_with("```") {
            in_fence = !in_fence;
        }
        if in_fence {
            continue;
        }
        if let Some(heading) = line.strip_prefix('#') {
            let heading = heading.trim_start_matches('#').trim().trim_end_matches('#').trim();
            if !heading.is_empty() {
                return Some(heading.to_owned());
            }
        }
        let is_underline =
            |next: &&str| next.len() >= 3 && (next.bytes().all(|b| b == b'=') || next.bytes().all(|b| b == b'-'));
        // `---` alone opens front matter; below text it underlines.
        if !line.trim().is_empty()
            && !line.starts_with("---")
            && lines.peek().is_some_and(is_underline)
            && !line.contains(':')
        {
            return Some(line.trim().to_owned());
        }
    }
    None
}

/// Continuous integration files, sorted.
pub(super) fn ci_files(ground: &Ground<'_>) -> Vec<String> {
    let known = [
        ".gitlab-ci.yml",
        ".circleci/config.yml",
        "azure-pipelines.yml",
        "Jenkinsfile",
        ".travis.yml",
        "bitbucket-pipelines.yml",
        ".drone.yml",
        "appveyor.yml",
        ".appveyor.yml",
        ".cirrus.yml",
        "buildkite.yml",
        ".github/buildomat/config.toml",
        ".build.yml",
        ".semaphore/semaphore.yml",
        ".woodpecker.yml",
        ".ci/run",
    ];
    let folders =
        [".github/workflows/", ".buildkite/", ".woodpecker/", ".forgejo/workflows/", ".gitea/workflows/", ".builds/"];
    select(ground, |path| {
        known.contains(&path)
            || (folders.iter().any(|folder| path.starts_with(folder))
                && (path.ends_with(".yml") || path.ends_with(".yaml")))
    })
}

/// Files that say where and how the project is deployed, sorted.
pub(super) fn deployment(ground: &Ground<'_>) -> Vec<String> {
    let known = [
        "fly.toml",
        "vercel.json",
        "netlify.toml",
        "render.yaml",
        "render.yml",
        "railway.toml",
        "railway.json",
        "Procfile",
        "wrangler.toml",
        "wrangler.json",
        "wrangler.jsonc",
        "serverless.yml",
        "serverless.yaml",
        "serverless.ts",
        "app.yaml",
        "cloudbuild.yaml",
        "skaffold.yaml",
        "Chart.yaml",
        "nixpacks.toml",
        "sst.config.ts",
        "ecosystem.config.js",
        "ecosystem.config.cjs",
        "captain-definition",
        "shuttle.toml",
        "Shuttle.toml",
        "compose.yml",
        "compose.yaml",
        "firebase.json",
        "apprunner.yaml",
        "amplify.yml",
        "Containerfile",
    ];
    select(ground, |path| {
        let name = path.rsplit('/').next().unwrap_or(path);
        let is_docker = name == "Dockerfile" || name.starts_with("Dockerfile.") || name.ends_with(".Dockerfile");
        let is_compose = name.starts_with("docker-compose") && (name.ends_with(".yml") || name.ends_with(".yaml"));
        let is_systemd = name.ends_with(".service");
        (known.contains(&name) || is_docker || is_compose || is_systemd || name.ends_with(".tf"))
            && crate::map::classify::role(path) != crate::repo_map::FileRole::Test
    })
}

fn select(ground: &Ground<'_>, keep: impl Fn(&str) -> bool) -> Vec<String> {
    ground.files.iter().filter(|path| keep(path)).map(|path| (*path).to_owned()).collect()
}
