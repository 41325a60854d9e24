//! Next.js on the server: route handlers and pages. Pages of the browser are in `page`.

use crate::effects::tables::{Ecosystem, origin};
use crate::effects::taint::Danger::Redirect;
use crate::effects::taint::Trust::Client;
use crate::effects::taint::tables::{Argument, Library, Source, sink};

const VERBS: &[&str] = &["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"];

pub static LIBRARY: Library = Library {
    sources: &[
        Source::Reads { pattern: "**.req|request|_req|_request.nextUrl.searchParams|search|pathname", trust: Client },
        Source::Reads { pattern: "**.req|request|_req|_request.json|formData|text|headers|cookies|url", trust: Client },
        Source::Handler { functions: VERBS, files: &["/route"], parameter: 1, keys: &["params"], trust: Client },
        Source::Handler {
            functions: &[],
            files: &["/page"],
            parameter: 0,
            keys: &["params", "searchParams"],
            trust: Client,
        },
        Source::Handler {
            functions: &["loader", "action"],
            files: &[],
            parameter: 0,
            keys: &["params"],
            trust: Client,
        },
    ],
    sinks: &[
        sink(Redirect, Argument::At(0), "NextResponse.redirect"),
        sink(Redirect, Argument::At(0), "redirect|permanentRedirect"),
    ],
    ..Library::new(
        "next",
        Ecosystem::Npm,
        &[
            origin("next", "15", "https://nextjs.org/docs/app/api-reference/file-conventions/route"),
            origin("@remix-run/node", "2", "https://v2.remix.run/docs/route/loader"),
            origin("react-router", "7", "https://reactrouter.com/start/framework/data-loading"),
        ],
        &["next", "@remix-run/node", "react-router"],
    )
};
