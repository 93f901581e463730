//! Light and dark: as the reader chooses, and until then as the reader's system does.

use serde_json::{Value, json};

use crate::{Faults, site::Site, tab::Tab};

/// How bright, of 255, the page is, and how bright the text of its first chart, or of the page where it has none.
const LOOK: &str = "(() => {
    const bright = colour => { const [r, g, b] = colour.match(/[\\d.]+/g).map(Number); return (2 * r + 5 * g + b) / 8; };
    const root = getComputedStyle(document.documentElement);
    const body = getComputedStyle(document.body);
    const page = [body, root].map(style => style.backgroundColor).find(colour => !/, 0\\)$/.test(colour)) ?? 'rgb(255, 255, 255)';
    const chart = document.querySelector('figure.chart svg text');
    const text = chart ? getComputedStyle(chart).fill : getComputedStyle(document.querySelector('main')).color;
    return { page: bright(page), text: bright(text) };
})()";

#[derive(Clone, Copy, Debug, PartialEq)]
struct Look {
    page: f64,
    text: f64,
}

impl Look {
    async fn of(tab: &mut Tab) -> Self {
        let look: Value = tab.ask(LOOK).await;
        let of = |what| look[what].as_f64().expect("a number");
        Self { page: of("page"), text: of("text") }
    }

    /// The middle between black and white is between a page and what is written on it.
    fn is_light(self) -> bool {
        self.page > 128.0 && self.text < 128.0
    }

    fn is_dark(self) -> bool {
        self.page < 128.0 && self.text > 128.0
    }
}

pub(crate) async fn are_switched_and_stay(tab: &mut Tab, site: &Site) -> Faults {
    let page = site.page_with_a_chart().unwrap_or("index.html");
    let mut faults = Faults::new();
    prefer(tab, "light").await;
    tab.open(&site.url(page)).await;
    for (theme, fits) in
        [("light", Look::is_light as fn(Look) -> bool), ("navy", Look::is_dark), ("light", Look::is_light)]
    {
        if !choose(tab, theme).await {
            faults.push(format!("{page}: the theme `{theme}` cannot be chosen"));
            continue;
        }
        let look = Look::of(tab).await;
        if !fits(look) {
            faults.push(format!("{page}: in the theme `{theme}` it looks like {look:?}"));
        }
        tab.reload().await;
        let again = Look::of(tab).await;
        if again != look {
            faults.push(format!("{page}: the theme `{theme}` is {look:?}, and {again:?} when loaded again"));
        }
    }
    faults.extend(tab.faults().into_iter().map(|fault| format!("{page}: {fault}")));
    faults
}

pub(crate) async fn follow_the_system(tab: &mut Tab, site: &Site) -> Faults {
    let mut faults = Faults::new();
    let chapter = site.page_with_a_chart().unwrap_or("index.html");
    for page in [chapter].into_iter().chain(site.crates.first().map(String::as_str)) {
        for (system, fits) in [("dark", Look::is_dark as fn(Look) -> bool), ("light", Look::is_light)] {
            prefer(tab, system).await;
            tab.open(&site.url(page)).await;
            // As for who comes for the first time.
            tab.ask("localStorage.clear()").await;
            tab.reload().await;
            let look = Look::of(tab).await;
            if !fits(look) {
                faults.push(format!("{page}: in a {system} system it looks like {look:?}"));
            }
        }
        faults.extend(tab.faults().into_iter().map(|fault| format!("{page}: {fault}")));
    }
    faults
}

pub(crate) async fn prefer(tab: &mut Tab, system: &str) {
    let features = json!([{ "name": "prefers-color-scheme", "value": system }]);
    tab.command("Emulation.setEmulatedMedia", json!({ "features": features })).await;
}

/// Waits until nothing moves any more, as colours do that fade; `false` if it goes on.
pub(crate) async fn rest(tab: &mut Tab) -> bool {
    tab.becomes("document.getAnimations().every(animation => animation.playState !== 'running')").await
}

/// By the button and the list that it opens.
async fn choose(tab: &mut Tab, theme: &str) -> bool {
    tab.click("#mdbook-theme-toggle").await
        && tab.becomes(&format!("document.getElementById('mdbook-theme-{theme}').checkVisibility()")).await
        && tab.click(&format!("#mdbook-theme-{theme}")).await
        && tab.becomes(&format!("document.documentElement.classList.contains('{theme}')")).await
        && rest(tab).await
}
