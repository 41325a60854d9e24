//! Small repositories in memory: who asks who is calling, who checks a value, and what may panic.

use super::*;
use crate::map::{MapOptions, build};
use crate::plan::lint::tests::MemoryTree;
use crate::progress::NoProgress;
use crate::repo_map::history::History;

/// The way from each function that has `effect` to the API: `save > parse > zod`.
fn ways(files: &[(&str, &str)], effect: Effect) -> Vec<String> {
    let tree = MemoryTree::of(files);
    let map =
        build(&tree, &MapOptions::default(), &History::default(), None, &NoProgress).expect("the files can be mapped");
    let effects = effects(&map);
    let mut rows = Vec::new();
    for (id, symbol) in map.symbols() {
        let Some(cause) = effects.of_function(id, effect) else { continue };
        let causes = effects.causes(&map, cause.call, effect);
        let mut way = vec![symbol.name.to_string()];
        way.extend(causes.iter().map(|cause| map.call(cause.call).name.to_string()));
        way.extend(effects.api_of(&causes, effect).map(|api| api.library.to_owned()));
        rows.push(way.join(" > "));
    }
    rows.sort();
    rows
}

#[test]
fn a_session_is_asked_for_through_calls() {
    let files = [
        ("package.json", r#"{"dependencies": {"next-auth": "4", "jsonwebtoken": "9"}}"#),
        (
            "src/session.ts",
            "import { getServerSession } from 'next-auth';\nimport jwt from 'jsonwebtoken';\n\
             export async function who() { const session = await getServerSession(options); return session?.user; }\n\
             export function peek(token: string) { return jwt.decode(token); }\n\
             export function prove(token: string) { return jwt.verify(token, key); }\n",
        ),
        (
            "src/orders.ts",
            "import { who, peek } from './session';\nexport async function remove(id: string) { const user = await who(); return user; }\n\
             export function show(token: string) { return peek(token); }\n",
        ),
    ];
    assert_eq!(
        ways(&files, Effect::AuthCheck),
        ["prove > verify > tokens", "remove > who > getServerSession > sessions", "who > getServerSession > sessions"]
    );
}

#[test]
fn a_schema_checks_and_a_parser_does_not() {
    let files = [
        ("package.json", r#"{"dependencies": {"zod": "3"}}"#),
        (
            "src/order.ts",
            "import { z } from 'zod';\nconst orderSchema = z.object({ id: z.string() });\n\
             export function read(body: unknown) { return orderSchema.parse(body); }\n\
             export function save(body: unknown) { return read(body); }\n\
             export function load(text: string) { return JSON.parse(text); }\n",
        ),
    ];
    assert_eq!(ways(&files, Effect::Validation), ["read > parse > validators", "save > read > parse > validators"]);
}

#[test]
fn a_panic_climbs_to_the_callers_of_the_same_task() {
    let files = [
        ("Cargo.toml", "[package]\nname = \"p\"\nversion = \"0.1.0\"\n"),
        (
            "src/lib.rs",
            "fn first(list: &[u8]) -> u8 { *list.first().unwrap() }\n\
             fn checked(n: u8) { assert!(n > 1); }\n\
             fn both(list: &[u8]) { checked(first(list)); }\n\
             fn apart() { std::thread::spawn(|| { first(&[]); }); }\n\
             fn careful(list: &[u8]) -> Option<u8> { list.first().copied() }\n",
        ),
    ];
    assert_eq!(
        ways(&files, Effect::Panics),
        ["both > checked > assert > panics", "checked > assert > panics", "first > unwrap > panics"]
    );
}
