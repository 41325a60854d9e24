//! Terminal transcripts: command, output, exit code. See `tests/cmd`.

#[test]
fn transcripts_are_what_the_program_says() {
    trycmd::TestCases::new()
        .case("tests/cmd/*.trycmd")
        // Neither the settings of whoever runs the tests nor the look of their terminal may show.
        .env("HOME", "/nonexistent")
        .env("XDG_CONFIG_HOME", "/nonexistent")
        // A key of theirs must not be spent.
        .env("IMPROVE_PLANNER", "none")
        .env("NO_COLOR", "1")
        .env("COLUMNS", "100");
}
