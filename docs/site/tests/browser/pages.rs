//! Each page loads, without an error of any kind, and asks nobody but the site; its charts are on it, and its text can be read.

use crate::{Faults, charts, contrast::Faint, site::Site, tab::Tab};

pub(crate) async fn load_and_have_their_charts(tab: &mut Tab, site: &Site) -> Faults {
    tab.may_ask(&format!("{}/", site.address));
    let mut faults = Faults::new();
    let (mut count, mut seen, mut faint) = (0, 0, Faint::default());
    for page in site.book.iter().chain(&site.crates).chain(&site.api) {
        tab.open(&site.url(page)).await;
        faults.extend(tab.faults().into_iter().map(|fault| format!("{page}: {fault}")));
        // An error page of the browser's own has neither.
        if tab.ask("document.title !== '' && document.body.innerText.trim() !== ''").await != true {
            faults.push(format!("{page}: has no title, or no text"));
        }
        count += 1;
        if site.book.contains(page) {
            let (charts, wrong) = charts::seen_on(tab, site, page).await;
            faults.extend(wrong);
            seen += charts;
            faint.look(tab, page).await;
        }
    }
    faults.extend(faint.faults());
    println!("{count} pages loaded, {} of them of the book, with {seen} charts", site.book.len());
    let missing = site.charts.keys().filter(|page| !site.book.contains(page));
    faults.extend(missing.map(|page| format!("{page}: has charts, and is not in the site")));
    if site.book.is_empty() || (site.has_api && (site.crates.is_empty() || site.api.is_empty())) {
        faults.push("the site has no book, or no API".to_owned());
    }
    faults
}
