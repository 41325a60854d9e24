//! The page of `improve report`, in a browser: what a reader sees, on a desk, in a hand, in the dark and on paper.

#[path = "common/alone.rs"]
mod alone;
#[path = "common/chromium.rs"]
mod chromium;
mod common;
#[path = "common/skipped.rs"]
mod skipped;

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use alone::{json, run, stderr, stdout};
use chromium::Chromium;
use common::{git, write};
use skipped::skipped;

const MANIFEST: &str = "{ \"name\": \"shop\", \"dependencies\": { \"@prisma/client\": \"6.0.0\" } }\n";

/// A file with a query in a loop, which is reported, and a name that would be markup.
fn orders(name: &str) -> String {
    format!(
        "import {{ PrismaClient }} from '@prisma/client'\n\nconst prisma = new PrismaClient()\n\nasync function one{name}(id: string) {{\n  \
         return prisma.order.findUnique({{ where: {{ id }} }})\n}}\n\nexport async function list{name}(ids: string[]) {{\n  const orders = []\n  \
         for (const id of ids) {{\n    orders.push(await one{name}(id))\n  }}\n  return orders\n}}\n"
    )
}

const PAY: &str = "\
import { appendFile } from 'node:fs/promises'

async function audit(text: string) {
  await appendFile('log.txt', text)
}

export async function pay(id: string) {
  audit('paid ' + id)
  return id
}
";

/// A repository with findings of two kinds.
fn shop() -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a temporary folder");
    write(folder.path(), "package.json", MANIFEST);
    for name in ["Orders", "Items", "Users"] {
        write(folder.path(), &format!("src/{}/<img src=x onerror=alert(1)>.ts", name.to_lowercase()), &orders(name));
    }
    write(folder.path(), "src/pay.ts", PAY);
    git(folder.path(), &["init", "-q", "-b", "main"]);
    git(folder.path(), &["add", "."]);
    git(folder.path(), &["commit", "-q", "-m", "first"]);
    folder
}

/// Writes the page of `shop` beside it.
fn page_of(shop: &Path) -> (tempfile::TempDir, PathBuf) {
    let elsewhere = tempfile::tempdir().expect("a temporary folder");
    let page = elsewhere.path().join("report.html");
    let output = run(shop, &["report", "--output", &page.display().to_string()]);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    assert!(stdout(&output).contains("report.html"), "{}", stdout(&output));
    (elsewhere, page)
}

fn browser() -> Option<Chromium> {
    let browser = Chromium::find();
    if browser.is_none() {
        skipped("no Chromium to look at a page with: install it, or name it in IMPROVE_TEST_CHROMIUM");
    }
    browser
}

/// Titles of the findings that are shown.
fn shown(document: &str) -> Vec<&str> {
    let rows = document.split("<tr id=\"f").skip(1);
    rows.filter(|row| !row[..row.find('>').expect("a tag ends")].contains("hidden"))
        .filter_map(|row| row.split("<span class=\"title\">").nth(1)?.split("</span>").next())
        .collect()
}

#[test]
fn the_page_goes_to_stdout_where_nobody_looks_and_to_no_file_of_the_user() {
    let shop = shop();
    let output = run(shop.path(), &["report"]);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    assert!(stdout(&output).starts_with("<!doctype html>") && stdout(&output).ends_with("</html>\n"));
    assert_eq!(stdout(&output), stdout(&run(shop.path(), &["report"])), "the same repository gives the same bytes");
    let output = run(shop.path(), &["report", "--format", "human"]);
    assert!(stdout(&output).contains(".git/improve/report.html"), "{}", stdout(&output));
    assert!(shop.path().join(".git/improve/report.html").is_file());
    let status = std::process::Command::new("git").args(["status", "--porcelain"]).current_dir(shop.path()).output();
    assert_eq!(String::from_utf8_lossy(&status.expect("git is installed").stdout), "");
}

#[test]
fn every_format_says_the_same_and_each_audited_commit_is_a_run() {
    let shop = shop();
    let document = json(&run(shop.path(), &["report", "--format", "json"]));
    let findings = document["findings"].as_array().expect("a list").len();
    assert!(findings >= 4, "{document}");
    assert_eq!(document["trend"].as_array().expect("a list").len(), 1);
    assert_eq!(document["committed"], "2026-01-02");
    assert_eq!(document["hotspots"][0]["churn_90d"], 1);
    let markdown = stdout(&run(shop.path(), &["report", "--format", "markdown"]));
    assert!(markdown.contains("### Findings"), "{markdown}");
    assert!(!markdown.replace("\\<", "").contains("<img"), "{markdown}");
    let html = stdout(&run(shop.path(), &["audit", "--format", "html"]));
    assert_eq!(html.matches("<tr id=\"f").count(), findings);
    // What was looked at in part says nothing of the whole.
    run(shop.path(), &["audit", "perf"]);
    run(shop.path(), &["audit", "src/pay.ts"]);
    write(shop.path(), "src/pay.ts", &PAY.replace("  audit('paid", "  await audit('paid"));
    git(shop.path(), &["commit", "-q", "-am", "mend"]);
    run(shop.path(), &["audit"]);
    let trend = json(&run(shop.path(), &["report", "--format", "json"]))["trend"].clone();
    let count = |place: usize| {
        let levels = trend[place]["levels"].as_object().expect("an object").values();
        levels.filter_map(serde_json::Value::as_u64).sum::<u64>()
    };
    assert_eq!(trend.as_array().expect("a list").len(), 2, "{trend}");
    assert_eq!((count(0), count(1)), (findings as u64, findings as u64 - 1), "{trend}");
    let lines = std::fs::read_to_string(shop.path().join(".git/improve/runs.jsonl")).expect("it is kept");
    assert_eq!(lines.lines().count(), 2, "{lines}");
}

#[test]
fn a_filter_in_the_address_shows_the_matching_findings() {
    let Some(browser) = browser() else { return };
    let shop = shop();
    let (_elsewhere, page) = page_of(shop.path());
    let page = format!("file://{}", page.display());
    let all = browser.document(&page);
    let titles = shown(&all);
    assert!(titles.len() >= 4, "{titles:?}");
    assert!(!all.contains("<img") && all.contains("&lt;img"), "a name is no markup");
    assert!(all.contains("<form id=\"filter\"") && !all.contains("aria-label=\"Filter findings\" hidden"));
    assert!(all.contains(&format!("{} findings", titles.len())), "the count is said");

    let promises = browser.document(&format!("{page}#rule=unawaited-promise"));
    assert_eq!(shown(&promises).len(), 1, "{:?}", shown(&promises));
    assert!(shown(&promises)[0].contains("<code>pay</code>"));
    assert!(promises.contains(&format!("1 of {} findings", titles.len())));

    let searched = browser.document(&format!("{page}#q=oneitems&sort=level"));
    assert!(!shown(&searched).is_empty() && shown(&searched).len() < titles.len(), "{:?}", shown(&searched));
    assert!(searched.contains("aria-sort=\"ascending\""));

    let in_path = browser.document(&format!("{page}#path=src%2Fusers%2F"));
    assert!(!shown(&in_path).is_empty() && shown(&in_path).len() < titles.len(), "{:?}", shown(&in_path));

    let nothing = browser.document(&format!("{page}#q=nowhere-to-be-found"));
    assert_eq!(shown(&nothing), Vec::<&str>::new());
    assert!(nothing.contains("No finding is like that"));

    // A link to one finding opens it.
    let one = browser.document(&format!("{page}#f2"));
    let row = one.split("<tr id=\"f2\"").nth(1).expect("it is there");
    assert!(row.split("</tr>").next().expect("it ends").contains("<details open"), "it is open");
}

#[test]
fn the_page_can_be_seen_in_both_themes_in_a_hand_and_on_paper() {
    let Some(browser) = browser() else { return };
    let shop = shop();
    let (elsewhere, page) = page_of(shop.path());
    let page = format!("file://{}", page.display());
    let at = |name: &str| elsewhere.path().join(name);
    let light = browser.picture(&page, (1_400, 1_000), false, &at("light.png"));
    let dark = browser.picture(&page, (1_400, 1_000), true, &at("dark.png"));
    let narrow = browser.picture(&page, (500, 900), false, &at("narrow.png"));
    for picture in [&light, &dark, &narrow] {
        assert!(picture.colours() > 50, "{} colours: an empty page", picture.colours());
    }
    assert_eq!((light.width, narrow.width), (1_400, 500));
    assert!(light.brightness() > 200.0 && dark.brightness() < 70.0, "{} {}", light.brightness(), dark.brightness());
    let paper = browser.paper(&page, &at("paper.pdf"));
    assert!(paper.starts_with(b"%PDF-") && paper.len() > 10_000, "{} bytes", paper.len());
}

#[test]
fn two_thousand_findings_can_be_searched() {
    let Some(browser) = browser() else { return };
    let shop = shop();
    // What another run found, many times over.
    let mut document = json(&run(shop.path(), &["audit", "--format", "json"]));
    let template = document["findings"][0].clone();
    let many = (0..2_000).map(|number| {
        let mut finding = template.clone();
        finding["fingerprint"] = format!("{number:016x}").into();
        finding["title"] = format!("`list{number}` runs one query for each id").into();
        finding
    });
    document["findings"] = many.collect();
    document["shard"] = serde_json::json!({ "index": 1, "of": 1 });
    let elsewhere = tempfile::tempdir().expect("a temporary folder");
    write(elsewhere.path(), "part.json", &document.to_string());
    let part = elsewhere.path().join("part.json").display().to_string();
    let output = run(shop.path(), &["merge", &part, "--format", "html"]);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    assert!(output.stdout.len() < 5_000_000, "{} bytes", output.stdout.len());
    write(elsewhere.path(), "report.html", &stdout(&output));
    let page = format!("file://{}", elsewhere.path().join("report.html").display());
    let start = Instant::now();
    let document = browser.document(&format!("{page}#q=list1999"));
    assert_eq!(shown(&document).len(), 1, "{:?}", shown(&document));
    assert!(document.contains("1 of 2,000 findings"));
    // Starting the browser takes most of it; a page that is laid out again for each row would take minutes.
    assert!(start.elapsed() < Duration::from_secs(60), "{:?}", start.elapsed());
}
