//! Rules: each looks for one kind of fault. Pure: a map in, findings out.

pub mod bug;
pub mod debt;
pub mod deps;
pub mod docs;
pub mod dx;
pub mod perf;
pub mod security;
pub mod tests;

use crate::audit::rule::Rule;

/// Every rule, in the order `improve rules` lists them.
pub static RULES: &[&dyn Rule] = &[
    &security::sql_injection::SqlInjection,
    &security::command_injection::CommandInjection,
    &security::path_traversal::PathTraversal,
    &security::ssrf::Ssrf,
    &security::open_redirect::OpenRedirect,
    &security::regex_injection::RegexInjection,
    &security::html_injection::HtmlInjection,
    &security::prototype_pollution::PrototypePollution,
    &security::polynomial_regex::PolynomialRegex,
    &security::timing_unsafe_compare::TimingUnsafeCompare,
    &security::hardcoded_secret::HardcodedSecret,
    &security::missing_auth::MissingAuth,
    &security::middleware_order::MiddlewareOrder,
    &security::insecure_direct_object_reference::InsecureDirectObjectReference,
    &security::mass_assignment::MassAssignment,
    &security::tls_verification_disabled::TlsVerificationDisabled,
    &security::weak_password_hash::WeakPasswordHash,
    &security::unverified_jwt::UnverifiedJwt,
    &security::exposed_cookie::ExposedCookie,
    &security::permissive_cors::PermissiveCors,
    &security::prompt_injection_content::PromptInjectionContent,
    &security::workflow_script_injection::WorkflowScriptInjection,
    &security::workflow_pull_request_target_checkout::WorkflowPullRequestTargetCheckout,
    &security::workflow_persisted_credentials::WorkflowPersistedCredentials,
    &security::workflow_cache_poisoning::WorkflowCachePoisoning,
    &security::workflow_unpinned_action::WorkflowUnpinnedAction,
    &security::workflow_unverified_download::WorkflowUnverifiedDownload,
    &security::workflow_inherited_secrets::WorkflowInheritedSecrets,
    &security::workflow_excessive_permissions::WorkflowExcessivePermissions,
    &bug::unawaited_promise::UnawaitedPromise,
    &bug::unawaited_future::UnawaitedFuture,
    &bug::resource_leak::ResourceLeak,
    &bug::swallowed_error::SwallowedError,
    &bug::panic_on_input::PanicOnInput,
    &perf::n_plus_one::NPlusOne,
    &perf::n_plus_one_resolver::NPlusOneResolver,
    &perf::n_plus_one_client::NPlusOneClient,
    &perf::n_plus_one_write::NPlusOneWrite,
    &perf::quadratic_loop::QuadraticLoop,
    &perf::regex_in_hot_path::RegexInHotPath,
    &perf::blocking_in_async::BlockingInAsync,
    &perf::sequential_await::SequentialAwait,
    &perf::unbounded_concurrency::UnboundedConcurrency,
    &tests::skipped_test::SkippedTest,
    &tests::untested_hot_code::UntestedHotCode,
    &tests::no_test_command::NoTestCommand,
    &debt::duplicate_code::DuplicateCode,
    &debt::import_cycle::ImportCycle,
    &debt::oversized_hot_function::OversizedHotFunction,
    &debt::stale_todo::StaleTodo,
    &debt::unused_file::UnusedFile,
    &debt::unused_export::UnusedExport,
    &deps::duplicate_dependency::DuplicateDependency,
    &deps::wildcard_dependency::WildcardDependency,
    &deps::git_dependency_without_rev::GitDependencyWithoutRev,
    &deps::missing_lockfile::MissingLockfile,
    &deps::vulnerable_dependency::VulnerableDependency,
    &deps::deprecated_dependency::DeprecatedDependency,
    &deps::competing_dependencies::CompetingDependencies,
    &deps::undeclared_dependency::UndeclaredDependency,
    &deps::unused_dependency::UnusedDependency,
    &docs::stale_doc_command::StaleDocCommand,
    &docs::dead_doc_link::DeadDocLink,
    &docs::dead_doc_path::DeadDocPath,
    &dx::ci_without_tests::CiWithoutTests,
    &dx::ci_unfrozen_install::CiUnfrozenInstall,
];
