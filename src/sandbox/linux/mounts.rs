//! The file system of a command: nothing is in it but what it may use, each at its place.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use nix::mount::{MntFlags, MsFlags, mount, umount2};
use nix::unistd::{chdir, pivot_root};

use super::{told, told_nix};
use crate::sandbox::places;
use crate::sandbox::policy::Policy;

/// Bytes of shared memory a command may take.
const SHARED_MEMORY: &str = "size=2g,mode=1777";

/// What of `/proc` is about the machine and not about processes.
const MACHINE: &[&str] = &["acpi", "bus", "fs", "irq", "scsi", "sys", "sysrq-trigger"];

/// Gives this process, alone in its namespace, the file system of `policy`.
pub(super) fn set_up(policy: &Policy) -> Result<(), String> {
    let none = None::<&str>;
    mount(none, "/", none, MsFlags::MS_REC | MsFlags::MS_PRIVATE, none).map_err(told_nix("mounts of our own"))?;
    let root = policy.private.join("root");
    let flags = MsFlags::MS_NOSUID | MsFlags::MS_NODEV;
    mount(Some("tmpfs"), &root, Some("tmpfs"), flags, Some("size=4m,mode=755")).map_err(told_nix("an empty root"))?;
    let marks = ["dev/shm", "dev/pts"].map(|name| (root.join(name), Access::Write)).into();
    let mut tree = Tree { root, policy, marks };
    tree.fill()?;
    tree.devices()?;
    tree.processes()?;
    tree.hide()?;
    tree.make_read_only()?;
    chdir(&tree.root).map_err(told_nix("enter the new root"))?;
    pivot_root(".", ".").map_err(told_nix("pivot_root"))?;
    umount2(".", MntFlags::MNT_DETACH).map_err(told_nix("leave the old root"))?;
    chdir("/").map_err(told_nix("enter the new root"))
}

struct Tree<'a> {
    root: PathBuf,
    policy: &'a Policy,
    /// Who may write where: a path has the access of the deepest one at or above it.
    marks: BTreeMap<PathBuf, Access>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Access {
    Read,
    Write,
}

impl Tree<'_> {
    /// Where a path of the host is in the new tree, before that is the root.
    fn at(&self, path: &Path) -> PathBuf {
        self.root.join(path.strip_prefix("/").unwrap_or(path))
    }

    /// The deepest mark at or above a place of the new tree.
    fn mark_of(&self, target: &Path) -> Option<(&Path, Access)> {
        target
            .ancestors()
            .find_map(|above| self.marks.get_key_value(above))
            .map(|(path, access)| (path.as_path(), *access))
    }

    /// Parents come before what is below them, so that each lies on the other.
    fn fill(&mut self) -> Result<(), String> {
        let policy = self.policy;
        let private = |name: &str| policy.private.join(name);
        let same = |path: &PathBuf| (path.clone(), path.clone());
        let mut entries: Vec<(PathBuf, PathBuf, Access)> = Vec::new();
        entries.extend(policy.readable.iter().map(same).map(|(at, from)| (at, from, Access::Read)));
        entries.push((PathBuf::from("/tmp"), private("tmp"), Access::Write));
        entries.extend(policy.home.clone().map(|home| (home, private("home"), Access::Write)));
        entries.extend(policy.writable.iter().map(same).map(|(at, from)| (at, from, Access::Write)));
        entries.extend(policy.replaced.iter().map(|(at, from)| (at.clone(), from.clone(), Access::Read)));
        // Stable: at the same place the later ones lie on the earlier.
        entries.sort_by_key(|(at, _, _)| at.components().count());
        // Places that show what is there on the host.
        let mut shown: BTreeSet<PathBuf> = BTreeSet::new();
        for (at, from, access) in entries {
            let target = self.at(&at);
            let around = self.mark_of(&target).map(|(path, access)| (path.to_owned(), access));
            let is_there = at == from && around.is_some_and(|(path, around)| shown.contains(&path) && around == access);
            if is_there {
                continue;
            }
            self.show(&at, &from)?;
            if at == from {
                shown.insert(target.clone());
            }
            self.marks.insert(target, access);
        }
        Ok(())
    }

    fn show(&self, at: &Path, from: &Path) -> Result<(), String> {
        let target = self.at(at);
        let metadata = match fs::symlink_metadata(from) {
            Ok(metadata) => metadata,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
            Err(error) => return Err(told(from.display())(error)),
        };
        if metadata.is_symlink() {
            // What it leads to is in the list as well.
            let leads_to = fs::read_link(from).map_err(told(from.display()))?;
            if fs::symlink_metadata(&target).is_err() {
                self.make_parent(&target)?;
                symlink(leads_to, &target).map_err(told(target.display()))?;
            }
            return Ok(());
        }
        if metadata.is_dir() {
            fs::create_dir_all(&target).map_err(told(target.display()))?;
        } else if fs::symlink_metadata(&target).is_err() {
            self.make_parent(&target)?;
            fs::File::create(&target).map_err(told(target.display()))?;
        }
        bind(from, &target)
    }

    fn make_parent(&self, target: &Path) -> Result<(), String> {
        let parent = target.parent().unwrap_or(&self.root);
        fs::create_dir_all(parent).map_err(told(parent.display()))
    }

    fn devices(&self) -> Result<(), String> {
        let folder = self.root.join("dev");
        fs::create_dir_all(&folder).map_err(told("dev"))?;
        let flags = MsFlags::MS_NOSUID | MsFlags::MS_NOEXEC;
        mount(Some("tmpfs"), &folder, Some("tmpfs"), flags, Some("size=64k,mode=755")).map_err(told_nix("dev"))?;
        for name in places::DEVICES {
            let (target, from) = (folder.join(name), Path::new("/dev").join(name));
            if from.exists() {
                fs::File::create(&target).map_err(told(name))?;
                bind(&from, &target)?;
            }
        }
        for (name, leads_to) in [
            ("fd", "/proc/self/fd"),
            ("stdin", "/proc/self/fd/0"),
            ("stdout", "/proc/self/fd/1"),
            ("stderr", "/proc/self/fd/2"),
        ] {
            symlink(leads_to, folder.join(name)).map_err(told(name))?;
        }
        for name in ["shm", "pts"] {
            fs::create_dir(folder.join(name)).map_err(told(name))?;
        }
        let flags = MsFlags::MS_NOSUID | MsFlags::MS_NODEV;
        mount(Some("tmpfs"), &folder.join("shm"), Some("tmpfs"), flags, Some(SHARED_MEMORY))
            .map_err(told_nix("shared memory"))?;
        let flags = MsFlags::MS_NOSUID | MsFlags::MS_NOEXEC;
        // Terminals for programs that want to see one; few do.
        if mount(Some("devpts"), &folder.join("pts"), Some("devpts"), flags, Some("newinstance,ptmxmode=0666,mode=620"))
            .is_ok()
        {
            symlink("pts/ptmx", folder.join("ptmx")).map_err(told("ptmx"))?;
        }
        Ok(())
    }

    fn processes(&mut self) -> Result<(), String> {
        let folder = self.root.join("proc");
        fs::create_dir_all(&folder).map_err(told("proc"))?;
        let flags = MsFlags::MS_NOSUID | MsFlags::MS_NODEV | MsFlags::MS_NOEXEC;
        mount(Some("proc"), &folder, Some("proc"), flags, None::<&str>).map_err(told_nix("proc"))?;
        if !self.policy.nests {
            return Ok(());
        }
        // Who makes namespaces writes there who is who in them. The rest of what can be written there is the machine's.
        self.marks.insert(folder.clone(), Access::Write);
        for name in MACHINE {
            let target = folder.join(name);
            if target.exists() {
                bind(&target, &target)?;
                self.marks.insert(target, Access::Read);
            }
        }
        Ok(())
    }

    /// Puts nothing in the place of what is hidden, and a read-only self in the place of what is protected.
    fn hide(&mut self) -> Result<(), String> {
        let empty = self.policy.private.join("empty");
        fs::write(&empty, "").map_err(told("an empty file"))?;
        for path in &self.policy.hidden {
            let target = self.at(path);
            match fs::symlink_metadata(&target) {
                Ok(metadata) if metadata.is_dir() => {
                    let flags = MsFlags::MS_NOSUID | MsFlags::MS_NODEV;
                    mount(Some("tmpfs"), &target, Some("tmpfs"), flags, Some("size=4k,mode=755"))
                        .map_err(told_nix(path.display()))?;
                }
                Ok(metadata) if metadata.is_file() => bind(&empty, &target)?,
                Ok(_) | Err(_) => {}
            }
        }
        for path in self.policy.hidden.iter().chain(&self.policy.protected) {
            self.marks.insert(self.at(path), Access::Read);
        }
        for path in &self.policy.protected {
            let target = self.at(path);
            if fs::symlink_metadata(&target).is_ok_and(|metadata| !metadata.is_symlink()) {
                bind(&target, &target)?;
            }
        }
        Ok(())
    }

    /// Makes every mount of the new tree read-only but those that are there to be written.
    fn make_read_only(&self) -> Result<(), String> {
        let mounts = fs::read_to_string("/proc/self/mountinfo").map_err(told("mountinfo"))?;
        let of_tree = mounts.lines().filter_map(Mount::read).filter(|mount| mount.at.starts_with(&self.root));
        for Mount { at, flags } in of_tree {
            if self.mark_of(&at).is_some_and(|(_, access)| access == Access::Write) {
                continue;
            }
            let flags = flags | MsFlags::MS_BIND | MsFlags::MS_REMOUNT | MsFlags::MS_RDONLY;
            mount(None::<&str>, &at, None::<&str>, flags, None::<&str>)
                .map_err(told_nix(format_args!("read-only {}", at.display())))?;
        }
        Ok(())
    }
}

fn bind(from: &Path, to: &Path) -> Result<(), String> {
    let flags = MsFlags::MS_BIND | MsFlags::MS_REC;
    mount(Some(from), to, None::<&str>, flags, None::<&str>).map_err(told_nix(format_args!("show {}", from.display())))
}

/// A line of `mountinfo`: where, and with which flags, which must be kept by who has not set them.
struct Mount {
    at: PathBuf,
    flags: MsFlags,
}

impl Mount {
    fn read(line: &str) -> Option<Mount> {
        let mut fields = line.split(' ').skip(4);
        let at = PathBuf::from(unescaped(fields.next()?));
        let flags = fields.next()?.split(',').map(flag).fold(MsFlags::empty(), |all, flag| all | flag);
        Some(Mount { at, flags })
    }
}

fn flag(word: &str) -> MsFlags {
    match word {
        "nosuid" => MsFlags::MS_NOSUID,
        "nodev" => MsFlags::MS_NODEV,
        "noexec" => MsFlags::MS_NOEXEC,
        "noatime" => MsFlags::MS_NOATIME,
        "nodiratime" => MsFlags::MS_NODIRATIME,
        "relatime" => MsFlags::MS_RELATIME,
        _ => MsFlags::empty(),
    }
}

/// `mountinfo` writes spaces, tabs, line ends and backslashes as `\040`.
fn unescaped(text: &str) -> std::ffi::OsString {
    use std::os::unix::ffi::OsStringExt as _;
    let bytes = text.as_bytes();
    let mut plain = Vec::with_capacity(bytes.len());
    let mut index = 0;
    while index < bytes.len() {
        let code = text
            .get(index + 1..index + 4)
            .filter(|_| bytes[index] == b'\\')
            .and_then(|code| u8::from_str_radix(code, 8).ok());
        plain.push(code.unwrap_or(bytes[index]));
        index += if code.is_some() { 4 } else { 1 };
    }
    std::ffi::OsString::from_vec(plain)
}
