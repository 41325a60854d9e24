//! A small repo map made by hand, for tests of what reads one.

use super::expr::Expr;
use super::facts::{CallKind, CallSite, FileFacts, LanguageName, Lines, Span, StatementRef, Symbol, SymbolKind, Usage};
use super::{
    CallTarget, External, FileHistory, FileRole, How, RepoMap, Resolved, SkipReason, SkippedFile, SourceFile, SymbolId,
};

/// A function on line `line`.
fn symbol(name: &str, qualified: &str, kind: SymbolKind, line: u32, exported: bool) -> Symbol {
    Symbol {
        name: name.into(),
        qualified: qualified.into(),
        kind,
        container: None,
        member_of: None,
        of_trait: None,
        exported,
        default_export: false,
        is_async: false,
        test: false,
        has_body: true,
        takes_self: false,
        span: Span::default(),
        lines: Lines { start: line, end: line + 4 },
        name_line: line,
        signature: format!("function {name}()").into(),
        parameters: vec![],
        return_type: None,
        attributes: vec![],
        documented: false,
        tokens: 40,
        complexity: 2,
    }
}

fn call(name: &str, caller: Option<u32>, line: u32) -> CallSite {
    CallSite {
        callee: Expr::Name(name.into()),
        name: name.into(),
        kind: CallKind::Call,
        caller,
        region: None,
        span: Span::default(),
        line,
        end_line: line,
        usage: Usage::Discarded,
        awaited: false,
        propagated: false,
        arguments: vec![],
        type_arguments: None,
        statement: StatementRef::default(),
    }
}

fn file(path: &str, role: FileRole, facts: FileFacts) -> SourceFile {
    SourceFile {
        path: path.into(),
        language: LanguageName::TypeScript,
        role,
        lines: 60,
        bytes: 1_500,
        history: FileHistory { churn_90d: 3, last_change: None, authors: 1 },
        facts,
    }
}

/// `src/a.ts` (`start`, `helper`) and `src/b.ts` (`Store.load`) and `src/c.ts` (`lonely`) and a test: all but `lonely` calls `Store.load`, one call
/// stays open, one is a guess, one goes outside.
pub fn map() -> RepoMap {
    let load = SymbolId { file: 1, index: 1 };
    let mut store_load = symbol("load", "Store.load", SymbolKind::Method, 12, false);
    store_load.container = Some(0);
    let a = FileFacts {
        symbols: vec![
            symbol("start", "start", SymbolKind::Function, 3, true),
            symbol("helper", "helper", SymbolKind::Function, 20, false),
        ],
        calls: vec![
            call("start", None, 1),
            call("load", Some(0), 4),
            call("fetch", Some(0), 5),
            call("load", Some(1), 21),
            call("mystery", Some(1), 22),
            call("guessed", Some(1), 23),
        ],
        ..FileFacts::default()
    };
    let b = FileFacts {
        symbols: vec![symbol("Store", "Store", SymbolKind::Class, 10, true), store_load],
        ..FileFacts::default()
    };
    let c =
        FileFacts { symbols: vec![symbol("lonely", "lonely", SymbolKind::Function, 2, false)], ..FileFacts::default() };
    let test = FileFacts {
        symbols: vec![symbol("check", "check", SymbolKind::Function, 2, false)],
        calls: vec![call("start", Some(0), 3)],
        ..FileFacts::default()
    };
    let to = |symbol: SymbolId, how: How| CallTarget::Symbols(vec![Resolved { symbol, how }]);
    let start = SymbolId { file: 0, index: 0 };
    let mut map = RepoMap {
        commit: Some("0123456789abcdef0123456789abcdef01234567".into()),
        files: vec![
            file("src/a.ts", FileRole::Production, a),
            file("src/b.ts", FileRole::Production, b),
            file("src/c.ts", FileRole::Production, c),
            file("test/a.test.ts", FileRole::Test, test),
        ],
        other_files: vec!["README.md".into()],
        skipped: vec![SkippedFile { path: "dist/a.js".into(), reason: SkipReason::Minified }],
        targets: vec![
            vec![
                to(start, How::Scope),
                to(load, How::Typed),
                CallTarget::External(External { package: "global".into(), path: vec!["fetch".into()] }),
                to(load, How::Import),
                CallTarget::Unresolved,
                to(load, How::Guess),
            ],
            vec![],
            vec![],
            vec![to(start, How::Import)],
        ],
        import_targets: vec![vec![]; 4],
        handed: vec![],
        ..RepoMap::default()
    };
    let calls = [(None, 0), (Some(0), 1), (Some(0), 2), (Some(1), 3), (Some(1), 4), (Some(1), 5)];
    map.calls_in = calls.into_iter().map(|(caller, call)| ((0, caller), call)).chain([((3, Some(0)), 0)]).collect();
    map
}
