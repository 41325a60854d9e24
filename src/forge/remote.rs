//! Remotes: which of them, and what their addresses name.

/// The host of GitHub itself.
pub const GITHUB: &str = "github.com";

/// A repository as its forge names it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RemoteName {
    /// The host, in lower case.
    pub host: String,
    /// Who owns it.
    pub owner: String,
    /// What it is called.
    pub name: String,
}

impl RemoteName {
    /// Reads the address of a remote: `git@host:owner/name.git`, `ssh://…`, `https://…`.
    pub fn parse(url: &str) -> Option<RemoteName> {
        let (host, path) = match url.split_once("://") {
            Some(("https" | "http" | "ssh" | "git" | "git+ssh", rest)) => rest.split_once('/')?,
            Some(_) => return None,
            // `host:path`, where no slash stands before the colon: git's own rule.
            None => url.split_once(':').filter(|(host, _)| !host.contains('/'))?,
        };
        let host = host.rsplit_once('@').map_or(host, |(_, host)| host);
        let host = host.split_once(':').map_or(host, |(host, _)| host).to_ascii_lowercase();
        // GitHub answers SSH on the port of HTTPS at a host of its own.
        let host = if host == "ssh.github.com" { GITHUB.to_owned() } else { host };
        let path = path.trim_matches('/');
        let path = path.strip_suffix(".git").unwrap_or(path);
        let (owner, name) = path.split_once('/')?;
        let plain = |part: &str| {
            !part.is_empty()
                && !part.starts_with('.')
                && part.chars().all(|c| c.is_ascii_alphanumeric() || "-_.".contains(c))
        };
        (plain(&host) && plain(owner) && plain(name)).then(|| RemoteName {
            host,
            owner: owner.to_owned(),
            name: name.to_owned(),
        })
    }

    /// Where its API is.
    pub fn api(&self) -> String {
        match self.host.as_str() {
            GITHUB => "https://api.github.com".to_owned(),
            host if host.ends_with(".ghe.com") => format!("https://api.{host}"),
            host => format!("https://{host}/api/v3"),
        }
    }

    /// Whether the host is known to be GitHub's. Another may be a server of a company's own.
    pub fn is_github(&self) -> bool {
        self.host == GITHUB || self.host.ends_with(".ghe.com")
    }
}

/// An address without the password that may stand in it.
pub fn shown(url: &str) -> String {
    match url.split_once("://") {
        Some((scheme, rest)) => {
            let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
            let host = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
            format!("{scheme}://{host}{path}")
        }
        None => url.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(url: &str) -> Option<(String, String, String)> {
        RemoteName::parse(url).map(|name| (name.host, name.owner, name.name))
    }

    #[test]
    fn every_kind_of_address_names_host_owner_and_repository() {
        let shop = Some(("github.com".to_owned(), "me".to_owned(), "my.shop".to_owned()));
        for url in [
            "git@github.com:me/my.shop.git",
            "github.com:me/my.shop",
            "ssh://git@github.com/me/my.shop.git",
            "ssh://git@ssh.github.com:443/me/my.shop.git",
            "https://github.com/me/my.shop",
            "https://token@GitHub.com/me/my.shop.git/",
        ] {
            assert_eq!(read(url), shop, "{url}");
        }
        assert_eq!(read("https://git.example.com:8443/a/b").map(|(host, ..)| host).as_deref(), Some("git.example.com"));
    }

    #[test]
    fn what_is_no_repository_on_a_forge_names_none() {
        for url in [
            "/srv/git/shop.git",
            "../shop",
            "file:///srv/shop.git",
            "https://github.com/me",
            "a/b:c/d",
            "https://h/a/b/c",
            "https://h/../b",
        ] {
            assert_eq!(read(url), None, "{url}");
        }
    }

    #[test]
    fn a_password_is_not_shown() {
        assert_eq!(shown("https://me:secret@github.com/me/shop"), "https://github.com/me/shop");
        assert_eq!(shown("git@github.com:me/shop"), "git@github.com:me/shop");
    }
}
