//! macOS: a seatbelt profile for `sandbox-exec`. Written from Apple's own profiles and not tried on a Mac yet.

use std::fmt::Write as _;
use std::path::Path;

use super::policy::Policy;
use crate::process::Invocation;

/// `invocation` by way of `sandbox-exec`.
pub(super) fn invocation(invocation: Invocation, policy: &Policy) -> Invocation {
    let profile = profile(policy);
    let own = [invocation.program].into_iter().chain(invocation.arguments);
    let arguments = ["-p".into(), profile.into()].into_iter().chain(own).collect();
    Invocation { program: "/usr/bin/sandbox-exec".into(), arguments, ..invocation }
}

/// The profile: later rules win.
fn profile(policy: &Policy) -> String {
    let mut text = String::from(
        "(version 1)\n(deny default)\n(allow process-exec process-fork)\n(allow signal (target same-sandbox))\n\
         (allow sysctl-read mach-lookup ipc-posix* pseudo-tty)\n(allow file-read-metadata)\n\
         (allow file-read* (subpath \"/System\") (subpath \"/Library\") (subpath \"/private/etc\") (subpath \"/dev\") \
         (subpath \"/Applications/Xcode.app\") (literal \"/\"))\n\
         (allow file-write* (literal \"/dev/null\") (literal \"/dev/tty\") (regex #\"^/dev/ttys\"))\n",
    );
    let mut rule = |what: &str, path: &Path| {
        let _ = writeln!(text, "({what} (subpath {}))", quoted(path));
    };
    policy.readable.iter().for_each(|path| rule("allow file-read*", path));
    policy.writable.iter().for_each(|path| rule("allow file-read* file-write*", path));
    policy.hidden.iter().for_each(|path| rule("deny file-read* file-write*", path));
    policy.protected.iter().for_each(|path| rule("deny file-write*", path));
    text.push_str(if policy.purpose.has_network() {
        "(allow network*)\n"
    } else {
        "(allow network* (local ip \"localhost:*\") (remote ip \"localhost:*\"))\n"
    });
    text
}

fn quoted(path: &Path) -> String {
    format!("\"{}\"", path.to_string_lossy().replace('\\', "\\\\").replace('"', "\\\""))
}
