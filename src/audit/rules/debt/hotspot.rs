//! Hotspots: functions that are hard to change and often changed, and whether any test gets to them.

use std::collections::{BTreeSet, VecDeque};

use rustc_hash::FxHashSet;

use crate::repo_map::expr::Expr;
use crate::repo_map::facts::{LanguageName, Symbol, SymbolKind};
use crate::repo_map::name::Name;
use crate::repo_map::{CallTarget, FileId, FileRole, RepoMap, SymbolId};

/// Calls followed from a test. Our choice: longer chains are no test of what stands at their end.
const MAX_DEPTH: usize = 8;
/// Share of calls, in percent, that may stay unresolved before "nothing calls it" means nothing.
const MAX_UNRESOLVED_PERCENT: usize = 40;
/// Test files below which a repository does not test by habit.
const MIN_TEST_FILES: usize = 3;

/// What the tests of a repository get to.
pub struct TestReach<'a> {
    map: &'a RepoMap,
    /// Symbols a test calls, directly or through other functions.
    reached: BTreeSet<SymbolId>,
    /// Identifiers that occur in test files.
    named: FxHashSet<Name>,
    /// Families whose tests can be followed: TypeScript and JavaScript, Rust.
    ecmascript: bool,
    rust: bool,
}

impl<'a> TestReach<'a> {
    /// Follows calls from every test.
    pub fn new(map: &'a RepoMap) -> TestReach<'a> {
        let mut reach = TestReach {
            map,
            reached: BTreeSet::new(),
            named: FxHashSet::default(),
            ecmascript: can_follow(map, LanguageName::is_ecmascript),
            rust: can_follow(map, |language| language == LanguageName::Rust),
        };
        for file in map.files.iter().filter(|file| file.role == FileRole::Test) {
            reach.named.extend(file.facts.references.iter().copied());
        }
        reach.follow_calls();
        reach
    }

    /// Whether tests of this language can be told to miss something.
    pub fn is_telling(&self, language: LanguageName) -> bool {
        if language.is_ecmascript() { self.ecmascript } else { self.rust }
    }

    /// Whether some test gets to a definition, or names it.
    pub fn reaches(&self, symbol: SymbolId) -> bool {
        self.reached.contains(&symbol) || self.named.contains(&self.map.symbol(symbol).name)
    }

    /// Whether some test names a thing so.
    pub fn names(&self, name: Name) -> bool {
        self.named.contains(&name)
    }

    /// Whether some test gets to a definition by calls.
    pub fn calls(&self, symbol: SymbolId) -> bool {
        self.reached.contains(&symbol)
    }

    fn follow_calls(&mut self) {
        let map = self.map;
        let mut queue: VecDeque<(SymbolId, usize)> = VecDeque::new();
        for (call, site) in map.calls() {
            if map.is_test(call.file, site.caller) {
                queue.extend(map.resolved(call).map(|resolved| (resolved.symbol, 1)));
            }
        }
        queue.extend(self.trait_members().into_iter().map(|symbol| (symbol, 1)));
        while let Some((symbol, depth)) = queue.pop_front() {
            if !self.reached.insert(symbol) || depth >= MAX_DEPTH {
                continue;
            }
            for call in map.calls_in(symbol) {
                queue.extend(map.resolved(call).map(|resolved| (resolved.symbol, depth + 1)));
            }
        }
    }

    /// Members of trait implementations that run without a call that shows: those of foreign traits (`Deserialize`,
    /// `Iterator`, `Drop`), and those of types that tests use, which they may hand to anything generic.
    fn trait_members(&self) -> Vec<SymbolId> {
        let map = self.map;
        let traits: BTreeSet<&str> = map
            .symbols()
            .filter(|(_, symbol)| symbol.kind == SymbolKind::Trait)
            .map(|(_, symbol)| symbol.name.as_str())
            .collect();
        let tested: BTreeSet<FileId> = map
            .files_with_ids()
            .filter(|(_, file)| file.facts.symbols.iter().any(|symbol| symbol.test))
            .map(|(id, _)| id)
            .collect();
        let last = |path: &'a str| {
            let path = path.split('<').next().unwrap_or(path).trim();
            path.rsplit("::").next().unwrap_or(path)
        };
        let members = map.symbols().filter_map(|(id, symbol)| {
            let of_trait = symbol.of_trait.as_deref()?;
            let of_type = symbol.member_of.as_deref().map_or("", last);
            (!traits.contains(last(of_trait)) || tested.contains(&id.file) || self.named.contains(&Name::new(of_type)))
                .then_some(id)
        });
        members.collect()
    }
}

/// Enough tests in the language, and enough of its calls resolved.
fn can_follow(map: &RepoMap, family: impl Fn(LanguageName) -> bool) -> bool {
    let (mut open, mut total, mut tests) = (0_usize, 0_usize, 0_usize);
    for (file, targets) in map.files.iter().zip(&map.targets).filter(|(file, _)| family(file.language)) {
        let has_tests = file.role == FileRole::Test || file.facts.symbols.iter().any(|symbol| symbol.test);
        tests += usize::from(has_tests);
        total += targets.len();
        open += targets.iter().filter(|target| matches!(target, CallTarget::Unresolved)).count();
    }
    tests >= MIN_TEST_FILES && open * 100 <= total * MAX_UNRESOLVED_PERCENT
}

/// Whether tests in a language that is not read (pytest, Go, bats, Hurl) drive what is built here: no call shows what they reach.
pub fn is_tested_in_another_language(map: &RepoMap) -> bool {
    const ENDINGS: [&str; 5] = ["_test.py", "_test.go", "_spec.rb", ".bats", ".hurl"];
    let is_test = |path: &&String| {
        let (folder, name) = path.rsplit_once('/').unwrap_or(("", path));
        let stands_apart = folder
            .split(['/', '-', '_'])
            .any(|word| matches!(word, "test" | "tests" | "e2e" | "integration" | "acceptance" | "functional"));
        let is_named_so =
            name.starts_with("test_") && name.ends_with(".py") || ENDINGS.iter().any(|ending| name.ends_with(ending));
        stands_apart && is_named_so
    };
    map.other_files.iter().filter(is_test).count() >= MIN_TEST_FILES
}

/// Whether tests start the program, or send requests to it: they reach what no call shows.
pub fn runs_the_program_in_tests(map: &RepoMap, path: &str) -> bool {
    const BROWSERS: [&str; 9] = [
        "@playwright/test",
        "playwright",
        "cypress",
        "supertest",
        "puppeteer",
        "nightwatch",
        "webdriverio",
        "light-my-request",
        "@testcontainers/postgresql",
    ];
    const BINARIES: [&str; 7] = ["assert_cmd", "trycmd", "snapbox", "insta-cmd", "escargot", "rexpect", "axum-test"];
    let depends = |names: &[&str]| {
        map.recon
            .packages
            .iter()
            .any(|package| package.dependencies.iter().any(|own| names.contains(&own.name.as_str())))
    };
    // A browser drives the server too, whatever language that is written in.
    if depends(&BROWSERS) || is_tested_in_another_language(map) {
        return true;
    }
    let tests = |rust: bool| {
        map.files.iter().filter(move |file| file.role == FileRole::Test && file.language.is_ecmascript() != rust)
    };
    if path.ends_with(".rs") {
        // `Command::new(env!("CARGO_BIN_EXE_tool"))`, actix's `init_service`, tower's `oneshot`.
        let starts = |name: &str| {
            name.ends_with("Command::new")
                || ["init_service", "oneshot", "call_service", "TestServer::new"].iter().any(|own| name.ends_with(own))
        };
        depends(&BINARIES)
            || tests(true).any(|file| {
                file.facts
                    .calls
                    .iter()
                    .any(|call| call.callee.dotted().is_some_and(|name| starts(&name)) || starts(&call.name))
            })
    } else {
        // tRPC's `createCaller`, Hono's `app.request`, Fastify's `inject`, `fetch` of a local server.
        let asks = |name: &str| {
            ["createCaller", "createCallerFactory", "inject", "fetch", "testClient"].contains(&name)
                || name.ends_with("Caller")
        };
        tests(false).any(|file| file.facts.calls.iter().any(|call| asks(&call.name)))
    }
}

/// A production function with a body, and its file.
pub fn production_functions(map: &RepoMap) -> impl Iterator<Item = (SymbolId, &Symbol)> {
    map.symbols().filter(|(id, symbol)| {
        symbol.kind.is_callable()
            && symbol.has_body
            && !symbol.test
            && map.file(id.file).role == FileRole::Production
            && !map.is_test(id.file, symbol.container)
    })
}

/// Whether the function is given to others as a value: who calls it then does not show.
pub fn is_handed_over(map: &RepoMap, id: SymbolId) -> bool {
    let name = map.symbol(id).name;
    let is_it = |expr: &Expr| {
        let mut found = false;
        expr.walk(&mut |inner| found |= matches!(inner, Expr::Name(own) if *own == name));
        found
    };
    map.files.iter().filter(|file| file.facts.references.binary_search(&name).is_ok()).any(|file| {
        let values = file.facts.bindings.iter().filter_map(|binding| binding.value.as_ref());
        values.chain(file.facts.calls.iter().flat_map(|call| &call.arguments)).any(is_it)
    })
}

/// Whether a function is a React component or the like: its size is markup.
pub fn is_component(map: &RepoMap, id: SymbolId) -> bool {
    let path = &map.file(id.file).path;
    let in_markup = path.ends_with(".tsx") || path.ends_with(".jsx");
    in_markup && map.symbol(id).name.starts_with(char::is_uppercase)
}

/// Whether a method belongs to a class that a framework renders (Angular): it is tested through what it shows.
pub fn is_of_component(map: &RepoMap, id: SymbolId) -> bool {
    let facts = &map.file(id.file).facts;
    map.symbol(id).container.is_some_and(|container| {
        let attributes = &facts.symbols[container as usize].attributes;
        attributes.iter().any(|attribute| attribute.starts_with("Component(") || attribute.starts_with("Directive("))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tests_of_another_language_stand_apart_and_are_several() {
        let of = |paths: &[&str]| RepoMap {
            other_files: paths.iter().map(|path| (*path).to_owned()).collect(),
            ..RepoMap::default()
        };
        let pytest = ["tests/test_ssh.py", "tests/test_vnc.py", "tests/sub/test_http.py"];
        assert!(is_tested_in_another_language(&of(&pytest)));
        assert!(!is_tested_in_another_language(&of(&pytest[..2])), "two may be of anything");
        assert!(!is_tested_in_another_language(&of(&["tools/test_a.py", "tools/test_b.py", "tools/test_c.py"])));
        assert!(!is_tested_in_another_language(&of(&["tests/conftest.py", "tests/run.sh", "tests/data.json"])));
    }
}
