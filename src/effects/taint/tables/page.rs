//! The browser's page: its own address, and where it goes next.

use crate::effects::tables::{Ecosystem, origin};
use crate::effects::taint::Danger::Redirect;
use crate::effects::taint::Trust::Page;
use crate::effects::taint::tables::{Argument, Library, Source, shape};

pub static LIBRARY: Library = Library {
    sources: &[
        Source::Gives { pattern: "useSearchParams.get|getAll", trust: Page },
        Source::Gives { pattern: "searchParams|params.get|getAll", trust: Page },
        Source::Gives { pattern: "useRouter|router.query", trust: Page },
        Source::Gives { pattern: "window.location.search|hash", trust: Page },
        Source::Gives { pattern: "location.search|hash", trust: Page },
    ],
    sinks: &[
        shape(Redirect, Argument::At(0), "**.router|navigate.push|replace"),
        shape(Redirect, Argument::At(0), "**.location.assign|replace"),
    ],
    ..Library::new(
        "page",
        Ecosystem::Npm,
        &[
            origin("HTML, Location", "living standard", "https://html.spec.whatwg.org/multipage/nav-history-apis.html"),
            origin("next", "15", "https://nextjs.org/docs/app/api-reference/functions/use-search-params"),
        ],
        &[],
    )
};
