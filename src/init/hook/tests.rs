//! Our lines come beside what is there.

use super::*;

fn script(text: Option<&str>) -> Script {
    Script { path: "pre-push".into(), text: text.map(str::to_owned) }
}

fn file(text: &str) -> File {
    File { path: "file".into(), text: text.to_owned(), runs_before_pushes: true }
}

/// What is written. Everything that stood there still stands there, in order.
fn written(keeper: Keeper) -> String {
    let Setup::Write(Change { before, after, .. }) = setup(keeper) else { panic!("a change") };
    let mut lines = after.lines();
    for line in before.unwrap_or_default().lines() {
        assert!(lines.any(|there| there == line), "{line} of\n{after}");
    }
    after
}

fn is_left(keeper: Keeper) -> bool {
    matches!(setup(keeper), Setup::ByHand(_))
}

#[test]
fn a_new_hook_reads_what_is_pushed() {
    insta::assert_snapshot!(written(Keeper::Git(script(None))));
    assert!(!written(Keeper::Husky(script(None))).contains("#!"));
}

#[test]
fn a_hook_that_is_there_keeps_its_input_and_goes_second() {
    let after =
        written(Keeper::Git(script(Some("#!/usr/bin/env bash\nset -e\nwhile read -r ref; do echo $ref; done\n"))));
    insta::assert_snapshot!(after);
}

#[test]
fn in_old_hooks_of_husky_our_lines_run_once() {
    let text = "#!/usr/bin/env sh\n. \"$(dirname -- \"$0\")/_/husky.sh\"\n\nnpm test\n";
    let after = written(Keeper::Husky(script(Some(text))));
    let at = |word: &str| after.find(word).expect("there");
    assert!(at("husky.sh") < at(OURS) && at(OURS) < at("npm test"), "{after}");
}

#[test]
fn our_lines_are_added_once() {
    for keeper in [Keeper::Git, Keeper::Husky] {
        let after = written(keeper(script(Some("#!/bin/sh\nnpm test\n"))));
        assert_eq!(setup(keeper(script(Some(&after)))), Setup::There("pre-push".into()));
    }
    let texts =
        [(Keeper::Lefthook as fn(File) -> Keeper, ""), (Keeper::PreCommit, "repos:\n- repo: meta\n  hooks: []\n")];
    for (keeper, text) in texts {
        let after = written(keeper(file(text)));
        assert_eq!(setup(keeper(file(&after))), Setup::There("file".into()), "{after}");
    }
}

#[test]
fn what_was_set_up_can_be_taken_back_to_the_byte() {
    let files = [
        (Keeper::Lefthook as fn(File) -> Keeper, "# hooks\npre-commit:\n  jobs:\n    - run: yarn lint\n"),
        (Keeper::Lefthook, "pre-push:\n    commands: # all\n        test:\n            run: yarn test\n"),
        (Keeper::Lefthook, "pre-push:\n  jobs:\n  - name: test\n    run: yarn test\n"),
        (Keeper::Lefthook, "pre-push:\r\n  scripts:\r\n    \"test.sh\":\r\n      runner: bash\r\n"),
        (Keeper::PreCommit, "repos:\n# formats\n-   repo: meta\n    hooks:\n    -   id: black\n"),
    ];
    for (keeper, text) in files {
        let after = written(keeper(file(text)));
        let Undo::Edit(Change { after, .. }) = removed(keeper(file(&after))) else { panic!("an edit of\n{after}") };
        assert_eq!(after, text);
    }
    for keeper in [Keeper::Git, Keeper::Husky] {
        let text = "#!/bin/sh\nnpm test\n";
        let after = written(keeper(script(Some(text))));
        let Undo::Edit(Change { after, .. }) = removed(keeper(script(Some(&after)))) else { panic!("an edit") };
        assert_eq!(after, text);
        let alone = written(keeper(script(None)));
        assert!(matches!(removed(keeper(script(Some(&alone)))), Undo::Remove(_)));
        assert!(matches!(removed(keeper(script(Some(text)))), Undo::NotThere(_)));
    }
    let new = written(Keeper::Lefthook(file("")));
    assert!(matches!(removed(Keeper::Lefthook(file(&new))), Undo::Remove(_)));
}

#[test]
fn lines_that_were_changed_are_left_to_whoever_changed_them() {
    let changed = written(Keeper::Git(script(Some("#!/bin/sh\nnpm test\n")))).replace("|| exit 1", "|| true");
    assert!(matches!(removed(Keeper::Git(script(Some(&changed)))), Undo::Left { .. }));
    let changed = written(Keeper::Lefthook(file("a: 1\n"))).replace("use_stdin: true", "use_stdin: false");
    assert!(matches!(removed(Keeper::Lefthook(file(&changed))), Undo::Left { .. }));
}

#[test]
fn what_is_no_shell_script_is_left() {
    for text in
        ["#!/usr/bin/env python3\nprint()\n", "\u{7f}ELF\0", "npm test\n", "#!/bin/sh\r\nnpm test\r\n", "#!/bin/sh"]
    {
        assert!(is_left(Keeper::Git(script(Some(text)))), "{text:?}");
    }
}

#[test]
fn lefthook_gets_a_command_where_there_is_none() {
    insta::assert_snapshot!(written(Keeper::Lefthook(file("# hooks\npre-commit:\n  jobs:\n    - run: yarn lint\n"))));
}

#[test]
fn lefthook_gets_a_command_among_others() {
    let text = "pre-push:\n    parallel: true\n    commands: # all of them\n        # the whole suite\n        test:\n            run: yarn test\n";
    insta::assert_snapshot!(written(Keeper::Lefthook(file(text))));
}

#[test]
fn lefthook_gets_a_job_among_others() {
    let text = "pre-push:\n  jobs:\n  - name: test\n    run: yarn test\npost-merge:\n  jobs: [{ run: yarn }]\n";
    insta::assert_snapshot!(written(Keeper::Lefthook(file(text))));
}

#[test]
fn lefthook_gets_commands_beside_scripts() {
    let text = "pre-push:\r\n  scripts:\r\n    \"test.sh\":\r\n      runner: bash\r\n";
    let after = written(Keeper::Lefthook(file(text)));
    assert!(after.starts_with("pre-push:\r\n  commands:\r\n    improve:\r\n"), "{after:?}");
    assert!(!after.replace("\r\n", "").contains('\n'), "line ends stay as they are");
}

#[test]
fn what_cannot_be_added_to_without_a_doubt_is_left() {
    let lefthook = [
        "pre-push: { commands: { test: { run: yarn test } } }\n",
        "pre-push:\n  commands: { test: { run: yarn test } }\n",
        "pre-push:\n  commands:\n    improve:\n      run: something else\n",
        "pre-push:\n  jobs: []\n",
        "pre-push:\n",
        "- a list\n",
        "broken: [\n",
        "one: 1\n---\ntwo: 2\n",
    ];
    for text in lefthook {
        assert!(is_left(Keeper::Lefthook(file(text))), "{text}");
    }
    for text in
        ["", "repos: []\n", "repos: [{ repo: meta, hooks: [] }]\n", "fail_fast: true\n", "repos:\n\t- repo: meta\n"]
    {
        assert!(is_left(Keeper::PreCommit(file(text))), "{text}");
    }
}

#[test]
fn pre_commit_gets_a_hook_of_the_stage_before_pushes() {
    let text = "# See https://pre-commit.com\ndefault_stages: [pre-commit]\nrepos:\n# formats\n-   repo: https://github.com/psf/black\n    rev: 25.1.0\n    hooks:\n    -   id: black\n";
    insta::assert_snapshot!(written(Keeper::PreCommit(file(text))));
}

mod found {
    use std::fs;

    use super::*;

    /// What keeps the hooks of a repository with these files, where git looks in `hooks`.
    fn keeper_of(files: &[(&str, &str)], hooks: &str, shared: bool) -> (Keeper, PathBuf) {
        let folder = tempfile::tempdir().expect("a folder");
        let root = folder.path();
        for (path, text) in files {
            let path = root.join(path);
            fs::create_dir_all(path.parent().expect("a parent")).expect("folders");
            fs::write(path, text).expect("a file");
        }
        let hooks = Hooks { folder: root.join(hooks), shared };
        (keeper(root, &hooks).expect("readable"), root.to_owned())
    }

    #[test]
    fn whatever_runs_hooks_now_comes_first() {
        let (found, root) = keeper_of(&[(".husky/_/h", ""), ("lefthook.yml", "")], ".husky/_", false);
        assert_eq!(found, Keeper::Husky(Script { path: root.join(".husky/pre-push"), text: None }));
        let (found, root) = keeper_of(&[(".husky/pre-push", "npm test\n")], ".git/hooks", false);
        let text = Some("npm test\n".to_owned());
        assert_eq!(found, Keeper::Husky(Script { path: root.join(".husky/pre-push"), text }));
    }

    #[test]
    fn a_file_of_lefthook_or_pre_commit_counts_and_whether_it_is_in_force() {
        let (found, root) = keeper_of(
            &[(".config/lefthook.yml", "a: 1\n"), (".git/hooks/pre-push", "lefthook run")],
            ".git/hooks",
            false,
        );
        let path = root.join(".config/lefthook.yml");
        assert_eq!(found, Keeper::Lefthook(File { path, text: "a: 1\n".into(), runs_before_pushes: true }));
        let (found, root) = keeper_of(&[(PRE_COMMIT, "repos:\n")], ".git/hooks", false);
        assert_eq!(
            found,
            Keeper::PreCommit(File { path: root.join(PRE_COMMIT), text: "repos:\n".into(), runs_before_pushes: false })
        );
    }

    #[test]
    fn a_folder_of_all_repositories_is_left() {
        assert!(matches!(keeper_of(&[], "everywhere", true).0, Keeper::Closed { .. }));
        assert!(matches!(keeper_of(&[("lefthook.toml", "")], ".git/hooks", false).0, Keeper::Closed { .. }));
        assert!(is_left(keeper_of(&[], "everywhere", true).0));
    }
}
