//! Pages: calls that take markup as text, and functions that make text harmless in it.

use crate::effects::tables::{Ecosystem, origin};
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
        &[
            origin(
                "HTML, DOM parsing",
                "living standard",
                "https://html.spec.whatwg.org/multipage/dynamic-markup-insertion.html",
            ),
            origin("express", "5", "https://expressjs.com/en/5x/api.html"),
            origin("hono", "4", "https://hono.dev/docs/api/context"),
            origin("jquery", "3", "https://api.jquery.com/html/"),
            origin("dompurify", "3", "https://www.npmjs.com/package/dompurify"),
            origin("sanitize-html", "2", "https://www.npmjs.com/package/sanitize-html"),
            origin("xss", "1", "https://www.npmjs.com/package/xss"),
            origin("escape-html", "1", "https://www.npmjs.com/package/escape-html"),
            origin("he", "1", "https://www.npmjs.com/package/he"),
        ],
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
        &[
            origin("axum", "0.8", "https://docs.rs/axum/0.8/axum/response/struct.Html.html"),
            origin("rocket", "0.5", "https://docs.rs/rocket/0.5"),
            origin("warp", "0.3", "https://docs.rs/warp/0.3"),
            origin("actix-web", "4", "https://docs.rs/actix-web/4"),
            origin("html-escape", "0.2", "https://docs.rs/html-escape/0.2"),
            origin("ammonia", "4", "https://docs.rs/ammonia/4"),
        ],
        &["axum", "axum-extra", "rocket", "warp", "actix-web", "poem"],
    )
};
