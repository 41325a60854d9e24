//! `dead-doc-path`: a page names a file of the repository, in code within a line, that is not there.

use crate::audit::draft::PlanDraft;
use crate::audit::pages::{Page, Piece};
use crate::audit::rule::{Ground, RecipeContext, Rule, RuleDoc};
use crate::audit::rules::docs::dead_doc_link::has_folder;
use crate::audit::rules::docs::faults::{self, Fault, Words};
use crate::audit::rules::docs::mentions::mentioned;
use crate::audit::text::{count_of, folder_of, join_path};
use crate::finding::{Category, Confidence, Finding};
use crate::repo_map::RepoMap;
use crate::tree::Tree;

/// A path in backticks that leads nowhere.
pub struct DeadDocPath;

static DOC: RuleDoc = RuleDoc {
    id: "dead-doc-path",
    category: Category::Docs,
    what: "a page that names a file of the repository in backticks, such as `src/orders/api.ts`, that is not there",
    why: "whoever looks for the file, a newcomer or an agent that gathers context, finds nothing or something else",
    quiet_when: "its folder is not there either and no file of its name is elsewhere (it may be of the reader's project), the code, \
                 configuration or an ignore file names it (it may be written when something runs), the sentence tells the reader to \
                 create it or calls it an example, or the page is a changelog, a decision, a migration guide or a translation",
    example: "Routes are registered in `src/server/router.ts`.   <!-- it is src/http/router.ts since spring -->",
};

static WORDS: Words = Words {
    one: |fault| format!("names `{}`, which does not exist", fault.written),
    many: |count| {
        format!("names {} that {} not exist", count_of(count, "file"), if count == 1 { "does" } else { "do" })
    },
    cost: "Readers and agents that look there get nothing.",
    mend: "Correct the paths",
    how: "`git log --diff-filter=DR --name-status -- '*NAME'` says what became of each file. Where it moved, name its place; where \
          its job went to another file, name that one; where nothing is left of it, remove the sentence.",
    stop: "a file that is said to be missing is written when the project is built or set up, and the page is right",
};

impl Rule for DeadDocPath {
    fn doc(&self) -> &'static RuleDoc {
        &DOC
    }

    fn check_tree(&self, ground: &Ground<'_>) -> Vec<Finding> {
        let mut found: Vec<(&Page, Vec<Fault>)> = ground
            .pages()
            .iter()
            .map(|page| (page, dead(ground.map, ground.tree, page)))
            .filter(|(_, dead)| !dead.is_empty())
            .collect();
        // What something names by its file name may be made, or left out of the repository, on purpose.
        let names: Vec<String> = found.iter().flat_map(|(_, dead)| dead).map(|fault| name_of(&fault.written)).collect();
        if names.is_empty() {
            return Vec::new();
        }
        let named = mentioned(ground.map, ground.tree, ground.texts(), &names, &|_| true);
        let mut at = 0..names.len();
        for (_, dead) in &mut found {
            // A file that was moved is named where it is now.
            dead.retain(|fault| at.next().is_some_and(|at| !named.contains(&at) || fault.replacement.is_some()));
        }
        let found = found.iter().filter_map(|(page, dead)| {
            let moved = dead.iter().any(|fault| !fault.instead.is_empty());
            let confidence = if moved { Confidence::High } else { Confidence::Med };
            faults::finding(&DOC, &WORDS, page, dead, if page.is_first_read { 2 } else { 1 }, confidence)
        });
        faults::bursts(found.collect())
    }

    fn recipe(&self, finding: &Finding, context: &RecipeContext<'_>) -> Option<PlanDraft> {
        faults::recipe(&WORDS, finding, context, &|page| dead(context.map, context.tree, page))
    }
}

fn name_of(path: &str) -> String {
    path.rsplit('/').next().unwrap_or(path).to_owned()
}

/// Paths of a page that lead nowhere, each once.
fn dead(map: &RepoMap, tree: &dyn Tree, page: &Page) -> Vec<Fault> {
    let mut found: Vec<Fault> = Vec::new();
    for piece in &page.spans {
        if let Some(fault) = fault(map, tree, page, piece)
            && found.iter().all(|own| own.line != fault.line && own.written != fault.written)
        {
            found.push(fault);
        }
    }
    found
}

fn fault(map: &RepoMap, tree: &dyn Tree, page: &Page, piece: &Piece) -> Option<Fault> {
    let written = path_in(&piece.text)?;
    let bases = [folder_of(&page.path), page.subject.as_str(), ""];
    let places: Vec<String> = bases.iter().filter_map(|base| join_path(base, written)).collect();
    let exists = |path: &str| map.has_path(path) || has_folder(map, path) || tree.is_left_out(path);
    let plain = written.trim_start_matches("./").trim_start_matches("../");
    let tail = format!("/{plain}");
    if places.is_empty() || places.iter().any(|place| exists(place)) || all_paths(map).any(|path| path.ends_with(&tail))
    {
        return None;
    }
    let said = page.said_around(piece.line);
    if HEDGES.iter().any(|hedge| said.contains(hedge)) {
        return None;
    }
    let moved = moved_to(map, page, plain);
    let has_home = places.iter().any(|place| {
        let folder = folder_of(place);
        // `src/x.ts` is in every project: only a folder of this one's own says that the path is meant to be here.
        folder.contains('/') && has_files(map, folder)
    });
    if !has_home && moved.is_none() {
        return None;
    }
    let instead = moved.as_ref().map_or_else(String::new, |path| format!("it is `{path}` today"));
    // Written from the root it stays written from the root; anything else is for whoever knows the sentence.
    let replacement = moved.filter(|_| !written.starts_with('.') && has_home_at_root(map, written));
    Some(Fault { line: piece.line, written: written.to_owned(), instead, replacement })
}

/// Words of a sentence about a file that need not be there.
const HEDGES: [&str; 32] = [
    "creat",
    "add ",
    "adding",
    "generat",
    "new file",
    "e.g.",
    "example",
    "for instance",
    "such as",
    "remov",
    "delet",
    "renam",
    "no longer",
    "used to",
    "was ",
    "were ",
    "previously",
    "formerly",
    "instead of",
    "old ",
    "will be",
    "would",
    "could",
    "if you",
    "if your",
    "your ",
    "output",
    "written to",
    "writes",
    "save",
    "todo",
    "copy",
];

/// The path a piece of code is, without a line number: nothing but names of folders and of a file with a known ending.
fn path_in(text: &str) -> Option<&str> {
    let (path, end) = text.trim().split_once(':').unwrap_or((text.trim(), ""));
    let is_place = end.chars().all(|c| c.is_ascii_digit() || matches!(c, ':' | '-'));
    let parts: Vec<&str> = path.split('/').collect();
    let is_name = |part: &&str| {
        !part.is_empty() && part.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-'))
    };
    let name = *parts.last()?;
    let (stem, extension) = name.rsplit_once('.')?;
    let is_placeholder = parts.iter().any(|part| {
        let stem = part.split('.').next().unwrap_or(part);
        ["foo", "bar", "baz", "example", "my", "your", "path", "to", "xxx", "nnn", "file", "name", "some"]
            .iter()
            .any(|word| stem.split(['-', '_']).any(|own| own.eq_ignore_ascii_case(word)))
            || (stem.len() > 1 && !stem.chars().any(char::is_lowercase) && stem.chars().any(char::is_uppercase))
    });
    // A workflow is as often the reader's own.
    let is_output = parts.iter().any(|part| {
        [
            "node_modules",
            "dist",
            "build",
            "target",
            "out",
            "coverage",
            "generated",
            "public",
            "bin",
            "tmp",
            ".github",
            ".git",
            ".next",
            "...",
        ]
        .contains(part)
    });
    let is_known = KNOWN_ENDS.contains(&extension) && !stem.is_empty() && !name.contains(".local");
    (is_place && parts.len() > 1 && parts.iter().all(is_name) && is_known && !is_placeholder && !is_output)
        .then_some(path)
}

/// Endings of files that people write.
const KNOWN_ENDS: [&str; 22] = [
    "ts", "tsx", "mts", "cts", "js", "jsx", "mjs", "cjs", "rs", "toml", "json", "yaml", "yml", "md", "mdx", "sh",
    "sql", "prisma", "graphql", "css", "scss", "vue",
];

fn all_paths(map: &RepoMap) -> impl Iterator<Item = &str> {
    map.files.iter().map(|file| file.path.as_str()).chain(map.other_files.iter().map(String::as_str))
}

/// Whether files stand in the folder itself.
fn has_files(map: &RepoMap, folder: &str) -> bool {
    all_paths(map).any(|path| folder_of(path) == folder)
}

fn has_home_at_root(map: &RepoMap, written: &str) -> bool {
    has_folder(map, written.split('/').next().unwrap_or_default())
}

/// The one file a path can only mean: of its name, in the same part of the repository; or of its name but for the ending.
fn moved_to(map: &RepoMap, page: &Page, written: &str) -> Option<String> {
    const COMMON: [&str; 14] = [
        "readme", "index", "package", "cargo", "mod", "lib", "main", "config", "utils", "types", "page", "layout",
        "route", "build",
    ];
    let name = written.rsplit('/').next()?;
    let (stem, extension) = name.rsplit_once('.')?;
    let folder = folder_of(written);
    // The same place in another dialect: `.js` became `.ts`.
    let script = ["ts", "tsx", "mts", "js", "jsx", "mjs", "cjs"];
    if script.contains(&extension) {
        let bases = [page.subject.as_str(), ""];
        let twin = script.iter().flat_map(|end| bases.map(|base| join_path(base, &format!("{folder}/{stem}.{end}"))));
        if let Some(twin) = twin.flatten().find(|twin| map.file_by_path(twin).is_some()) {
            return (twin.starts_with(folder)).then_some(twin);
        }
    }
    if COMMON.contains(&stem.to_ascii_lowercase().as_str()) {
        return None;
    }
    let mut same = all_paths(map).filter(|path| path.rsplit('/').next() == Some(name));
    let only = same.next()?;
    let first = written.split('/').next()?;
    let inside = only.strip_prefix(&page.subject).unwrap_or(only).trim_start_matches('/');
    // Code moves further than prose, whose names repeat.
    let is_source = map.file_by_path(only).is_some() && only.split('/').any(|part| part == first);
    let near = is_source
        || inside.split('/').next() == Some(first)
        || folder_of(written).rsplit('/').next() == folder_of(only).rsplit('/').next();
    (same.next().is_none() && near).then(|| only.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_told_from_other_code() {
        assert_eq!(path_in("src/orders/api.ts:12-14"), Some("src/orders/api.ts"));
        assert_eq!(path_in("../docs/guide.md"), Some("../docs/guide.md"));
        for text in [
            "api.ts",
            "src/**/*.ts",
            "/etc/x.toml",
            "a/b",
            "path/to/file.rs",
            "dist/x.js",
            "npm run x/y.ts",
            "src/my-app.ts",
            "https://a.b/c.md",
            "src/{name}.ts",
            "plans/NNN-slug.md",
            "config/app.local.json",
        ] {
            assert_eq!(path_in(text), None, "{text}");
        }
    }
}
