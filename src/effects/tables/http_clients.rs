//! HTTP clients of JavaScript: fetch, axios, got, ky, undici, node-fetch.

use crate::effects::Effect;
use crate::effects::tables::{Ecosystem, Library, does, origin};

pub static LIBRARY: Library = Library {
    name: "http client",
    ecosystem: Ecosystem::Npm,
    origins: &[
        origin("fetch", "living standard", "https://fetch.spec.whatwg.org/"),
        origin("axios", "1", "https://axios-http.com/docs/intro"),
        origin("got", "11, 12, 13, 14", "https://www.npmjs.com/package/got"),
        origin("ky", "1", "https://www.npmjs.com/package/ky"),
        origin("undici", "5, 6, 7", "https://undici.nodejs.org/"),
    ],
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
