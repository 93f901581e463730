//! What is broken is found: each story, told of a small site that has one fault.

use std::{collections::BTreeMap, fs};

use crate::{Faults, asked::Asked, chromium::Chromium, narrow, pages, search, site::Site, themes};

const ICON: &str = "<link rel='icon' href='data:,'><title>a page</title>";

/// A site of these pages, of which each has one chart `t` for each time that it is among `charts`, with an API of two pages that
/// are whole.
async fn site(pages: &[(&str, &str)], charts: &[&str]) -> Site {
    let folder = tempfile::tempdir().expect("a temporary folder");
    fs::create_dir_all(folder.path().join("api/evenkeel")).expect("a folder");
    let whole = [("api/evenkeel/index.html", "whole"), ("api/evenkeel/all.html", "whole")];
    for (name, body) in pages.iter().chain(&whole) {
        let html = format!("<!doctype html><html>{ICON}<body><main>{body}</main></body></html>");
        fs::write(folder.path().join(name), html).expect("a file");
    }
    let mut asked: BTreeMap<String, Vec<Asked>> = BTreeMap::new();
    for page in charts {
        asked.entry((*page).to_owned()).or_default().push(Asked { titles: "t".to_owned(), chosen: None });
    }
    let root = folder.path().to_owned();
    Site::of(&root, asked, Some(folder)).await
}

/// Asserts that these are the faults, one for each text, which is a part of it.
fn assert_found(faults: &Faults, expected: &[&str]) {
    let missed: Vec<_> = expected.iter().filter(|text| !faults.iter().any(|fault| fault.contains(*text))).collect();
    assert!(missed.is_empty(), "{missed:?} in\n{}", faults.join("\n"));
    let more: Vec<_> = faults.iter().filter(|fault| !expected.iter().any(|text| fault.contains(text))).collect();
    assert!(more.is_empty(), "{more:#?}");
}

#[tokio::test]
async fn a_page_that_does_not_load_as_it_should_is_found() {
    let Some(mut chromium) = Chromium::start().await else { return };
    let pages = [
        ("whole.html", "whole <a href='https://example.com'>another host</a>"),
        ("console.html", "text <script>console.error('on the console')</script>"),
        ("assert.html", "text <script>console.assert(1 > 2, 'it is not')</script>"),
        ("throws.html", "text <script>null.length</script>"),
        ("rejects.html", "text <script>Promise.reject(new Error('for no one'))</script>"),
        ("late.html", "text <script>requestAnimationFrame(() => { throw new Error('late') })</script>"),
        ("image.html", "text <img src='none.png'>"),
        ("style.html", "text <link rel='stylesheet' href='none.css'>"),
        ("later.html", "text <script>onload = () => fetch('none.json')</script>"),
        ("host.html", "text <script>fetch('http://other.invalid/x').catch(() => {})</script>"),
        ("empty.html", ""),
    ];
    let site = site(&pages, &[]).await;
    let faults = pages::load_and_have_their_charts(&mut chromium.tab, &site).await;
    chromium.close().await;
    let expected = [
        "console.html: an error on the console: \"on the console\"",
        "assert.html: an error on the console: \"it is not\"",
        "throws.html: throws",
        "rejects.html: throws",
        "late.html: throws",
        "image.html: 404",
        "image.html: an error in the log",
        "style.html: 404",
        "style.html: an error in the log",
        "later.html: 404",
        "later.html: an error in the log",
        "host.html: asks another host: http://other.invalid/x",
        "host.html: a request fails",
        "host.html: an error in the log",
        "empty.html: has no title, or no text",
    ];
    assert_found(&faults, &expected);
}

#[tokio::test]
async fn a_chart_that_is_not_seen_is_found() {
    let Some(mut chromium) = Chromium::start().await else { return };
    let chart = |figure: &str, svg: &str, inner: &str| {
        format!(
            "text <figure class='chart' style='{figure}'><svg width='300' height='200' style='{svg}'>{inner}</svg></figure>"
        )
    };
    let told = "<title>t</title><desc>y by x. one: 1 at 0, at most 1 at 0, 1 at 1.</desc>";
    let axes = "<polyline fill='none' stroke='currentColor' points='9,9 9,90'/><text x='9' y='95'>0</text>";
    let key = "<polyline fill='none' stroke='#0072B2' points='9,5 29,5'/><text x='30' y='9'>one</text>";
    let line = "<polyline fill='none' stroke='#0072B2' points='9,9 90,90'/>";
    let all = &format!("{told}{key}{axes}{line}");
    let without = |part: &str| chart("", "", &all.replace(part, ""));
    let pages = [
        ("whole.html", chart("", "", all)),
        ("below.html", format!("<div style='height: 9000px'></div>{}", chart("", "", all))),
        ("none.html", chart("display: none", "", all)),
        ("hidden.html", chart("visibility: hidden", "", all)),
        ("flat.html", chart("", "height: 0", all)),
        ("beside.html", chart("position: fixed; left: -900px; top: 0", "", all)),
        ("untitled.html", without("<title>t</title>")),
        ("untold.html", without("<desc>y by x. one: 1 at 0, at most 1 at 0, 1 at 1.</desc>")),
        ("blank.html", chart("", "", told)),
        ("axes.html", without(line)),
        ("unseen.html", chart("", "", &all.replace("points='9,9 90,90'", "points='9,9 90,90' opacity='0'"))),
        ("point.html", chart("", "", &all.replace("points='9,9 90,90'", "points='9,9 9,9'"))),
        ("nameless.html", without(key)),
        ("empty-name.html", without("one</text>").replace("y='9'>", "y='9'></text>")),
        ("second.html", chart("", "", &format!("{all}{}", line.replace("#0072B2", "#D55E00")))),
        ("misnamed.html", without("one: ")),
        ("picture.html", "text <figure class='chart'><img alt='d' src='data:,'></figure>".to_owned()),
        ("missing.html", "text".to_owned()),
        ("lost.html", chart("", "", all)),
        ("other.html", chart("", "", &all.replace("<title>t", "<title>u"))),
        ("unasked.html", chart("", "", all)),
    ];
    let pages: Vec<_> = pages.iter().map(|(name, body)| (*name, body.as_str())).collect();
    let mut charts: Vec<_> = pages.iter().map(|(name, _)| *name).filter(|name| *name != "unasked.html").collect();
    charts.extend(["lost.html", "gone.html"]);
    let site = site(&pages, &charts).await;
    let faults = pages::load_and_have_their_charts(&mut chromium.tab, &site).await;
    chromium.close().await;
    let expected = [
        "none.html: chart 1 is 0 by 0",
        "hidden.html: chart 1 is hidden",
        "flat.html: chart 1 is 300 by 0",
        "beside.html: chart 1 is not in the window",
        "untitled.html: chart 1 has no title",
        "untold.html: chart 1 has no text alternative",
        "untitled.html: has the charts [\"\"], and",
        "blank.html: chart 1 has no line",
        "axes.html: chart 1 has no line",
        "unseen.html: chart 1 has no line",
        "point.html: chart 1 has no line",
        "nameless.html: chart 1 has a line that its legend does not name",
        "empty-name.html: chart 1 has a line that its legend does not name",
        "second.html: chart 1 has a line that its legend does not name",
        "misnamed.html: chart 1 has a line \"one\" that its text",
        "picture.html: chart 1 is no SVG",
        "picture.html: has the charts [\"\"], and",
        "missing.html: has the charts [], and",
        "lost.html: has the charts [\"t\"], and",
        "other.html: has the charts [\"u\"], and",
        "unasked.html: has the charts [\"t\"], and its chapter asks for []",
        "gone.html: has charts, and is not in the site",
    ];
    assert_found(&faults, &expected);
}

#[tokio::test]
async fn text_that_is_too_faint_is_found() {
    let Some(mut chromium) = Chromium::start().await else { return };
    let style = "<style>
        @media (prefers-color-scheme: dark) { html { background: #161923; color: #fff } .link { color: #2b79a2 } }
        .grey { color: #777 } .glass { color: #000; opacity: 0.5 } .box { background: #0072b2 }
    </style>";
    let pages = [
        ("whole.html", "<p>text <code>code</code></p><svg><text y='9' fill='currentColor'>t</text></svg>"),
        ("link.html", "<p>text <a class='link'>link</a></p>"),
        (
            "grey.html",
            "<p class='box'><b style='color: #000'>b</b></p><p style='background: #fff'><i class='grey'>i</i></p>",
        ),
        ("glass.html", "<p style='background: #fff'><i class='glass'>i</i></p>"),
        ("head.html", "<table style='background: #fff; color: #ccc'><tr><th>head</th></tr></table>"),
        ("chart.html", "<svg style='background: #fff'><text y='9' fill='#888'>t</text></svg>"),
        ("unseen.html", "text <p hidden class='grey'>i</p><pre><code><i class='grey'>i</i></code></pre>"),
    ];
    let pages = pages.map(|(name, body)| (name, format!("{style}{body}")));
    let pages: Vec<_> = pages.iter().map(|(name, body)| (*name, body.as_str())).collect();
    let site = site(&pages, &[]).await;
    let faults = pages::load_and_have_their_charts(&mut chromium.tab, &site).await;
    chromium.close().await;
    let expected = [
        "link.html: too faint in dark: <a> in <p> 3.6",
        "grey.html: too faint in dark: <b> in <p> 4.0",
        "grey.html: too faint in light: <b> in <p> 4.0",
        "grey.html: too faint in dark: <i> in <p> 4.48: rgb(119,119,119) on rgb(255,255,255) (1 pages)",
        "grey.html: too faint in light: <i> in <p> 4.48: rgb(119,119,119) on rgb(255,255,255) (1 pages)",
        "glass.html: too faint in dark: <i> in <p> 3.9",
        "glass.html: too faint in light: <i> in <p> 3.9",
        "head.html: too faint in dark: <th> in <tr> 1.6",
        "head.html: too faint in light: <th> in <tr> 1.6",
        "chart.html: too faint in dark: <text> in <svg> 3.5",
        "chart.html: too faint in light: <text> in <svg> 3.5",
    ];
    assert_found(&faults, &expected);
}

#[tokio::test]
async fn a_page_that_is_too_wide_for_a_phone_is_found() {
    let Some(mut chromium) = Chromium::start().await else { return };
    let table = "text <table style='width: 700px'><tr><td>wide</td></tr></table>";
    let view = "<meta name='viewport' content='width=device-width, initial-scale=1'>";
    let cut = format!("{view}<div style='overflow: hidden'>{table}</div>");
    let scrolls = format!("{view}<div style='overflow-x: auto'>{table}</div>");
    let wide = format!("{view}{table}");
    let around = format!("{view}</main><div style='overflow-y: auto'><main>{table}</main></div><main>");
    let left = format!("{view}text <div style='margin-left: -50px'>left</div>");
    let chart = |scroll: &str, width, size| {
        format!(
            "{view}text <div style='overflow-x: auto'><figure class='chart' style='margin: 0'><div style='{scroll}'>
             <svg viewBox='0 0 600 300' style='width: {width}px'><text y='20' font-size='{size}'>t</text></svg></div></figure></div>"
        )
    };
    let (chart, small, stuck, gone) =
        (chart("overflow-x: auto", 620, "11"), chart("", 300, "21"), chart("", 620, "11"), chart("", 0, "21"));
    let pages = [
        ("wide.html", wide.as_str()),
        ("cut.html", &cut),
        ("scrolls.html", &scrolls),
        ("around.html", &around),
        ("left.html", &left),
        ("chart.html", &chart),
        ("small.html", &small),
        ("stuck.html", &stuck),
        ("gone.html", &gone),
    ];
    let site = site(&pages, &[]).await;
    let faults = narrow::no_page_scrolls_sideways(&mut chromium.tab, &site).await;
    chromium.close().await;
    // Pages that do not say that they fit a phone are shown as on a desk.
    let expected = [
        "wide.html: is 70",
        "cut.html: has something cut off at 390 px",
        "around.html: has something cut off at 390 px",
        "left.html: has something cut off at 390 px",
        "small.html: at 390 px chart 1 has text of 10.5 px",
        "stuck.html: at 390 px chart 1 is wider than the page and does not scroll",
        "gone.html: at 390 px chart 1 is not to be seen",
        "evenkeel/index.html: is 980 px wide",
        "evenkeel/all.html: is 980 px wide",
    ];
    assert_found(&faults, &expected);
}

#[tokio::test]
async fn parts_that_do_nothing_when_they_are_used_are_found() {
    let Some(mut chromium) = Chromium::start().await else { return };
    let buttons = "text
        <button id='mdbook-search-toggle' onclick='document.getElementById(`mdbook-searchbar`).focus()'>search</button>
        <input id='mdbook-searchbar'><ul id='mdbook-searchresults'></ul>
        <button id='mdbook-theme-toggle'>themes</button>
        <button id='mdbook-theme-light' onclick='document.documentElement.className = `light`'>light</button>
        <button id='mdbook-theme-navy' onclick='document.documentElement.className = `navy`'>dark</button>
        <style>html { background: white }</style>
        <button id='mdbook-sidebar-toggle'>chapters</button>
        <nav id='mdbook-sidebar' style='position: fixed; left: -200px; width: 200px'><a href='#'>one</a></nav>";
    let site = site(&[("index.html", buttons)], &[]).await;
    let tab = &mut chromium.tab;
    // Nothing here comes later.
    tab.frames = 30;
    let mut faults = search::finds_a_word_of_the_book(tab, &site, "jitter").await;
    faults.extend(search::finds_an_item_of_the_api(tab, &site, "Exponential").await);
    faults.extend(themes::are_switched_and_stay(tab, &site).await);
    faults.extend(themes::follow_the_system(tab, &site).await);
    faults.extend(narrow::the_sidebar_opens(tab, &site).await);
    chromium.close().await;
    let expected = [
        "the book: the search finds no `jitter` in another chapter",
        "the API: no search opens with its key",
        "in the theme `navy` it looks like",
        "index.html: in a dark system it looks like",
        "api/evenkeel/index.html: in a dark system it looks like",
        "at 390 px the list of chapters does not open",
    ];
    let found: Faults = faults.into_iter().filter(|fault| !fault.contains("asks another host")).collect();
    assert_found(&found, &expected);
}
