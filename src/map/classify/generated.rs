//! Generated source: what a tool wrote, as its path, its head or its idioms say.

use std::sync::LazyLock;

use regex::Regex;

use super::Folder;
use crate::repo_map::name::file_name;

/// Lines at the top in which a tool says that it wrote the file.
const HEAD_LINES: usize = 20;
/// The same for marks that a notice of a licence may stand before.
const LONG_HEAD_LINES: usize = 60;

/// Whether a tool wrote this source: its path or a comment at its top says so.
pub fn is_generated(path: &str, text: &str) -> bool {
    let name = file_name(path);
    let stem = name.rsplit_once('.').map_or(name, |(stem, _)| stem);
    let stem = stem.strip_suffix(".d").unwrap_or(stem);
    Folder::of(path).generated
        || [".generated", ".gen", ".pb", "_pb", "_grpc_pb", ".pb-grpc"].iter().any(|mark| stem.ends_with(mark))
        || name == "bindings.rs" && memchr::memmem::find(text.as_bytes(), b"component-type:wit-bindgen").is_some()
        || (text.starts_with("// @ts-nocheck") && speaks_for_a_machine(text))
        || is_bundle(text)
        || is_served_library(path, text)
        // GraphQL Code Generator's client preset writes this file under this name and says so nowhere.
        || (stem == "fragment-masking" && text.starts_with("/* eslint-disable */"))
        || head_says_generated(text)
}

/// Names that protobufjs and its like write at the top of what they put out: types are switched off there, and nobody wrote it.
fn speaks_for_a_machine(text: &str) -> bool {
    const IDIOMS: &[&str] = &["$protobuf", "$Reader", "$util", "$root", "$types"];
    text.lines().take(HEAD_LINES).any(|line| IDIOMS.iter().any(|idiom| line.contains(idiom)))
}

/// A script that a site serves as it is, with the notice of whoever wrote it: a library, copied in.
fn is_served_library(path: &str, text: &str) -> bool {
    let is_served =
        path.ends_with(".js") && path.split('/').any(|folder| matches!(folder, "public" | "static" | "assets"));
    is_served
        && text.starts_with("/*")
        && text.lines().take(HEAD_LINES).take_while(|line| !line.contains("*/")).any(|line| {
            let line = line.to_ascii_lowercase();
            line.contains("copyright (c)") || line.contains("@license") || line.contains("copyright ©")
        })
}

/// Whether a bundler put this file together from others: rolldown and esbuild name each of them in a comment above its code,
/// webpack and esbuild begin with their own run time. A prelude for any loader is written by hand, too, but not with names of one letter.
fn is_bundle(text: &str) -> bool {
    static PRELUDE: LazyLock<Regex> = LazyLock::new(|| {
        Regex::new(r"^[!(]\s*\(?function\s*\(\s*[a-z]\s*,\s*[a-z]\s*\)").expect("the pattern is fixed")
    });
    const RUN_TIME: &[&str] = &["var __defProp = Object.defineProperty", "var __commonJS = "];
    // These no one else writes, so that they may stand below a long notice.
    const OF_WEBPACK: &[&str] = &["/******/ ", "var __webpack_modules__", "var __webpack_require__ = "];
    static OF_BROWSERIFY: LazyLock<Regex> = LazyLock::new(|| {
        Regex::new(r"^\(function\s*(?:e\(t,\s*n,\s*r\)|\(\)\s*\{\s*function r\(e,\s*n,\s*t\))")
            .expect("the pattern is fixed")
    });
    let names_source = |line: &str| {
        ["//#region ", "// "].iter().find_map(|mark| line.strip_prefix(mark)).is_some_and(|path| {
            path.starts_with("node_modules/")
                || (line.starts_with("//#region ") && path.contains('/') && file_name(path).contains('.'))
        })
    };
    let speaks_of_exports = || text.lines().take(HEAD_LINES).any(|line| line.contains("typeof exports"));
    text.lines().take(LONG_HEAD_LINES).enumerate().any(|(row, line)| {
        let in_head = row < HEAD_LINES;
        match line.as_bytes().first() {
            Some(b'/' | b'v') => {
                in_head && (names_source(line) || RUN_TIME.iter().any(|start| line.starts_with(start)))
                    || OF_WEBPACK.iter().any(|start| line.starts_with(start))
            }
            Some(b'(' | b'!') => {
                line.starts_with("(function") && OF_BROWSERIFY.is_match(line)
                    || in_head && PRELUDE.is_match(line) && speaks_of_exports()
            }
            _ => false,
        }
    })
}

/// Whether a comment among the first lines says so. Lines of a block comment need no mark of their own.
pub fn head_says_generated(text: &str) -> bool {
    let mut in_block = false;
    text.lines().take(HEAD_LINES).any(|line| {
        let line = line.trim_start();
        let own = if in_block { Some(line) } else { None };
        let comment =
            own.or_else(|| ["//", "/*", "*", "#", "--", "<!--"].iter().find_map(|mark| line.strip_prefix(mark)));
        in_block = (in_block || line.starts_with("/*")) && !line.contains("*/");
        comment.is_some_and(says_generated)
    })
}

/// The text of a comment in which a tool says that it wrote the file.
fn says_generated(comment: &str) -> bool {
    let comment = comment.trim_start_matches(['/', '*', '!', ' ']);
    let states_it =
        comment.starts_with("@generated") || comment.to_ascii_lowercase().starts_with("this file is @generated");
    if states_it || (comment.contains("Code generated") && comment.contains("DO NOT EDIT")) {
        return true;
    }
    let lower = comment.to_ascii_lowercase();
    let subject = ["this file is ", "this file was ", "this file has been ", "this code was ", "file is "]
        .iter()
        .any(|subject| lower.contains(subject));
    let verb = ["auto-generated", "autogenerated", "auto generated", "automatically generated", "generated by "]
        .iter()
        .any(|verb| lower.contains(verb));
    // ANTLR and its like name the grammar.
    let names_source = lower.starts_with("generated from ") && lower.contains(" by ");
    let orders = lower.starts_with("generated by ") && lower.contains("do not edit");
    (subject && verb)
        || orders
        || names_source
        || lower.starts_with("auto-generated")
        || lower.starts_with("automatically generated")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_comment_at_the_top_makes_a_file_generated() {
        for text in [
            "// @generated automatically by Diesel CLI.\n",
            "// this file is @generated\n",
            "// Generated from src/Formula.g4 by ANTLR 4.9.0\n",
            "// Code generated by protoc. DO NOT EDIT.\n",
            "// Generated by `wit-bindgen` 0.36.0. DO NOT EDIT!\n",
            "/* eslint-disable */\n/**\n * This file was automatically generated by X.\n */",
            "/*\n-----\nThis code was generated by X.\n\nChanges will be lost.\n-----\n*/\nexport class A {}",
        ] {
            assert!(is_generated("src/a.ts", text), "{text}");
        }
        assert!(is_generated("src/a.js", "// @ts-nocheck\nconst $protobuf = require(\"protobufjs/minimal\");\n"));
        assert!(!is_generated("src/a.js", "// @ts-nocheck\nconst price = 1;\n"));
        for head in [
            "//#region node_modules/lit/lit.js",
            "// node_modules/lit/lit.js",
            "//#region src/a.ts",
            "/******/ (() => {",
        ] {
            assert!(is_generated("public/bundle.mjs", head), "{head}");
        }
        let notice = format!("/**\n{} */\n", " * Licensed to you.\n".repeat(30));
        for start in [
            "/******/ var __webpack_modules__ = ({",
            "var __webpack_require__ = {};",
            "(function e(t, n, r) {",
            "(function(){function r(e,n,t){",
        ] {
            assert!(is_generated("www/lib/a.mjs", &format!("{notice}{start}\n")), "{start}");
        }
        assert!(!is_generated("www/lib/a.js", &format!("{notice}(function (window) {{\n")));
        for head in ["//#region Prices", "// src/a.ts", "//#region and/or"] {
            assert!(!is_generated("src/a.js", head), "{head}");
        }
        let far_down = format!("{}// @generated\n", "let x = 1;\n".repeat(30));
        for text in ["const mark = \"@generated\";\n", "//! Skips files which hold an `@generated` mark.\n", &far_down]
        {
            assert!(!is_generated("src/a.ts", text), "{text}");
        }
    }

    #[test]
    fn names_of_what_tools_write_are_known() {
        for path in ["src/api_pb.ts", "src/routeTree.gen.ts", "src/__generated__/graphql.ts", "src/api.pb.rs"] {
            assert!(is_generated(path, ""), "{path}");
        }
        for path in ["src/gen.ts", "src/regen.ts", "src/generated.ts"] {
            assert!(!is_generated(path, ""), "{path}");
        }
        assert!(is_generated(
            "src/gql/fragment-masking.ts",
            "/* eslint-disable */\nimport type { A } from './graphql';\n"
        ));
    }
}
