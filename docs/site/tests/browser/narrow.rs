//! On a phone: nothing is wider than the page or cut off, charts can be read, and the list of chapters can be opened.

use serde_json::{Value, json};

use crate::{Faults, site::Site, tab::Tab};

const WIDTH: u32 = 390;

/// How small the text of a chart may be, in pixels: rounded, 11.
const SMALLEST: &str = "10.95";

/// One of so many of the API's pages is enough: they are all made alike.
const STEP: usize = 5;

/// How wide the page is, and what in its text stands out of it, or out of what hides it, without a part around it that scrolls in
/// itself. What is around all of the text is no such part: mdBook's scrolls, and so the page does, whatever its width is said to
/// be. Then what is wrong with each chart, where something is.
const WIDE: &str = "(() => {
    const scrolls = element => {
        for (let at = element.parentElement; at && at.localName !== 'main'; at = at.parentElement) {
            if (['auto', 'scroll'].includes(getComputedStyle(at).overflowX)) return true;
        }
        return false;
    };
    const hides = element => element.clientWidth > 1 && element.scrollWidth > element.clientWidth + 1
        && ['hidden', 'clip'].includes(getComputedStyle(element).overflowX);
    const stands = ({ left, right, width }) => width > 1 && (right > WIDTH + 0.5 || left < -0.5);
    const out = Array.from(document.querySelectorAll('main *')).filter(element => element.checkVisibility()
        && (hides(element) || stands(element.getBoundingClientRect()) && !scrolls(element)));
    const name = element => `<${element.localName} class='${element.getAttribute('class') ?? ''}'> ${
        element.textContent.trim().slice(0, 40)}`;
    const wrong = figure => {
        const svg = figure.querySelector('svg');
        const box = svg.getBoundingClientRect();
        if (!(box.width > 0 && box.height > 0)) return 'is not to be seen';
        const scale = box.width / (svg.viewBox.baseVal?.width || box.width);
        const sizes = Array.from(svg.querySelectorAll('text'), text => parseFloat(getComputedStyle(text).fontSize) * scale);
        const least = Math.min(...sizes);
        if (least < LEAST) return `has text of ${least.toFixed(1)} px`;
        const stuck = [figure, ...figure.querySelectorAll('div')].some(part => part.scrollWidth > part.clientWidth + 1
            && !['auto', 'scroll'].includes(getComputedStyle(part).overflowX));
        return stuck ? 'is wider than the page and does not scroll' : '';
    };
    const figures = Array.from(document.querySelectorAll('figure.chart')).filter(figure => figure.querySelector('svg'));
    const charts = figures.map((figure, at) => [at + 1, wrong(figure)]).filter(([, wrong]) => wrong);
    return {
        width: document.documentElement.scrollWidth,
        out: out.slice(0, 3).map(name),
        charts: charts.map(([number, wrong]) => `chart ${number} ${wrong}`),
    };
})()";

pub(crate) async fn no_page_scrolls_sideways(tab: &mut Tab, site: &Site) -> Faults {
    let mut faults = Faults::new();
    on_a_phone(tab).await;
    let wide = WIDE.replace("WIDTH", &WIDTH.to_string()).replace("LEAST", SMALLEST);
    // Rustdoc's pages of sources are as wide as their lines, and scroll.
    let api = site.api.iter().filter(|page| !page.starts_with("api/src/")).step_by(STEP);
    for page in site.book.iter().chain(&site.crates).chain(api) {
        tab.open(&site.url(page)).await;
        let seen: Value = tab.ask(&wide).await;
        if seen["width"].as_u64().is_none_or(|width| width > u64::from(WIDTH)) {
            faults.push(format!("{page}: is {} px wide at {WIDTH}: {}", seen["width"], seen["out"]));
        } else if seen["out"] != json!([]) {
            faults.push(format!("{page}: has something cut off at {WIDTH} px: {}", seen["out"]));
        }
        let charts = seen["charts"].as_array().into_iter().flatten().filter_map(|chart| chart.as_str());
        faults.extend(charts.map(|chart| format!("{page}: at {WIDTH} px {chart}")));
    }
    as_before(tab).await;
    faults.extend(tab.faults().into_iter().map(|fault| format!("at {WIDTH} px: {fault}")));
    faults
}

pub(crate) async fn the_sidebar_opens(tab: &mut Tab, site: &Site) -> Faults {
    let mut faults = Faults::new();
    on_a_phone(tab).await;
    tab.open(&site.url("index.html")).await;
    let shown = "(() => { const box = document.getElementById('mdbook-sidebar').getBoundingClientRect();
        return box.width > 0 && box.left >= 0; })()";
    let link = "document.querySelector('#mdbook-sidebar a[href]')?.checkVisibility()";
    if tab.ask(shown).await == true {
        faults.push(format!("at {WIDTH} px the list of chapters is open from the start"));
    }
    if !tab.click("#mdbook-sidebar-toggle").await || !tab.becomes(&format!("{shown} && {link}")).await {
        faults.push(format!("at {WIDTH} px the list of chapters does not open"));
    }
    as_before(tab).await;
    faults.extend(tab.faults().into_iter().map(|fault| format!("at {WIDTH} px: {fault}")));
    faults
}

async fn on_a_phone(tab: &mut Tab) {
    let phone = json!({ "width": WIDTH, "height": 844, "deviceScaleFactor": 3, "mobile": true });
    tab.command("Emulation.setDeviceMetricsOverride", phone).await;
}

async fn as_before(tab: &mut Tab) {
    tab.command("Emulation.clearDeviceMetricsOverride", json!({})).await;
}
