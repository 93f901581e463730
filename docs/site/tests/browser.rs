//! The site in a real browser: Debian's chromium, without a window, that asks the site's own server.
//!
//! The site is that in the folder which the environment variable `EVENKEEL_SITE` names, or else one that is built for it. Where
//! chromium is not installed the tests say so and pass, unless `EVENKEEL_REQUIRE` names it; `EVENKEEL_CHROMIUM` is the path of
//! another program to take. With `--nocapture` it prints what it looked at.

#![cfg(unix)]
#![allow(missing_docs)]

#[path = "../../tests/support/tool.rs"]
mod tool;

// What the stories are told with.
#[path = "browser/asked.rs"]
mod asked;
#[path = "browser/chromium.rs"]
mod chromium;
#[path = "browser/devtools.rs"]
mod devtools;
#[path = "browser/site.rs"]
mod site;
#[path = "browser/tab.rs"]
mod tab;

// The stories.
#[path = "browser/charts.rs"]
mod charts;
#[path = "browser/contrast.rs"]
mod contrast;
#[path = "browser/narrow.rs"]
mod narrow;
#[path = "browser/pages.rs"]
mod pages;
#[path = "browser/search.rs"]
mod search;
#[path = "browser/themes.rs"]
mod themes;

// The stories told of sites that are broken.
#[path = "browser/broken.rs"]
mod broken;

use chromium::Chromium;
use site::Site;

/// What is wrong, a line for each: empty where all is well.
type Faults = Vec<String>;

#[tokio::test]
async fn the_site_holds_together_in_a_browser() {
    let Some(mut chromium) = Chromium::start().await else { return };
    let site = Site::whole().await;
    let tab = &mut chromium.tab;
    let mut faults = pages::load_and_have_their_charts(tab, &site).await;
    faults.extend(search::finds_a_word_of_the_book(tab, &site, "jitter").await);
    faults.extend(search::finds_an_item_of_the_api(tab, &site, "Exponential").await);
    faults.extend(themes::are_switched_and_stay(tab, &site).await);
    faults.extend(themes::follow_the_system(tab, &site).await);
    faults.extend(narrow::no_page_scrolls_sideways(tab, &site).await);
    faults.extend(narrow::the_sidebar_opens(tab, &site).await);
    chromium.close().await;
    assert!(faults.is_empty(), "\n{}", faults.join("\n"));
}
