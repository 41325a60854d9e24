//! Pages: calls that take markup as text, and functions that make text harmless in it.

use crate::effects::tables::Ecosystem;
use crate::effects::taint::Danger::Html;
use crate::effects::taint::tables::{Argument, Cleaner, Library, shape};

pub static NPM: Library = Library {
    sinks: &[
        shape(Html, Argument::At(0), "**.res|response|reply.**.send|end|write"),
        shape(Html, Argument::At(0), "Response"),
        shape(Html, Argument::At(0), "**.c|ctx|context.html"),
        shape(Html, Argument::At(0), "**.document.write|writeln"),
        shape(Html, Argument::At(1), "**.insertAdjacentHTML"),
        shape(Html, Argument::At(0), "**.createContextualFragment|setHTMLUnsafe|bypassSecurityTrustHtml"),
        shape(Html, Argument::At(0), "$|jQuery.html"),
    ],
    cleaners: &[Cleaner {
        // One letter, or a few: no room for a tag that runs something.
        names: "charat|substring|substr|slice|sanitize|sanitizehtml|dompurify|purify|purifyhtml|clean|cleanhtml|xss|filterxss|striptags|escapehtml|escapexml|htmlescape|\
htmlencode|encodehtml|encode|escape|encodeforhtml|htmlspecialchars|encodeuricomponent|encodeuri|stringify|serialize|safejsonstringify|\
rendertostring|rendertostaticmarkup|escapeexpression",
        dangers: &[Html],
    }],
    ..Library::new(
        "html",
        Ecosystem::Npm,
        "HTML standard, DOM parsing; Express 5, Hono 4, jQuery 3; dompurify 3, sanitize-html 2, xss 1, escape-html 1, he 1",
        &[],
    )
};

pub static CARGO: Library = Library {
    sinks: &[
        shape(Html, Argument::At(0), "**.Html"),
        shape(Html, Argument::At(0), "**.RawHtml"),
        shape(Html, Argument::At(0), "warp.reply.html"),
        shape(Html, Argument::At(0), "**.HttpResponse.**.body"),
    ],
    cleaners: &[Cleaner {
        names: "encodetext|encodesafe|encodeminimal|encodequotedattribute|encodedoublequotedattribute|escapehtml|escape|htmlescape|clean|\
sanitize|encode|utf8percentencode|percentencode|tojson",
        dangers: &[Html],
    }],
    ..Library::new(
        "html-rust",
        Ecosystem::Cargo,
        "axum 0.8, rocket 0.5, warp 0.3, actix-web 4: answers of markup; html-escape 0.2, ammonia 4",
        &["axum", "axum-extra", "rocket", "warp", "actix-web", "poem"],
    )
};
