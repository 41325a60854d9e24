//! HTTP clients of JavaScript: fetch, axios, got, ky, undici, node-fetch.

use crate::effects::Effect;
use crate::effects::tables::{Ecosystem, Library, does};

pub static LIBRARY: Library = Library {
    name: "http client",
    ecosystem: Ecosystem::Npm,
    source: "fetch standard; axios 1, got 14, ky 1, undici 7",
    packages: &[
        "global",
        "axios",
        "got",
        "ky",
        "undici",
        "node-fetch",
        "cross-fetch",
        "ofetch",
        "superagent",
        "request",
        "needle",
        "isomorphic-fetch",
    ],
    apis: &[
        does(Effect::Http, "fetch"),
        does(Effect::Http, "default|axios|got|ky|Axios|AxiosInstance.get|post|put|patch|delete|head|options|request"),
        // `axios.create(…).get`; not `response.headers.get`.
        does(
            Effect::Http,
            "default|axios|got|ky|Axios|AxiosInstance.**.create|extend|axiosRef|instance|client.\
             get|post|put|patch|delete|head|options|request",
        ),
        does(Effect::Http, "get|post|put|patch|delete|head|options|request|stream|ofetch"),
        does(Effect::Http, "default|axios|got|ky|superagent"),
    ],
    shapes: &[does(Effect::Http, "**.axios|got|ky|*Axios|axios*.get|post|put|patch|delete|head|options|request")],
};
