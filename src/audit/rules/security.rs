//! Rules about ways in, and ways out for data.

mod code;
pub mod command_injection;
pub mod exposed_cookie;
pub mod hardcoded_secret;
pub mod html_injection;
pub mod insecure_direct_object_reference;
pub mod mass_assignment;
pub mod middleware_order;
pub mod missing_auth;
pub mod open_redirect;
pub mod path_traversal;
pub mod permissive_cors;
pub mod prompt_injection_content;
pub mod regex_injection;
pub mod remedy;
pub mod sql_injection;
pub mod ssrf;
pub mod tainted;
pub mod timing_unsafe_compare;
pub mod tls_verification_disabled;
pub mod unverified_jwt;
pub mod weak_password_hash;
pub mod workflow_excessive_permissions;
pub mod workflow_pull_request_target_checkout;
pub mod workflow_script_injection;
pub mod workflow_unpinned_action;
pub mod workflow_unverified_download;
