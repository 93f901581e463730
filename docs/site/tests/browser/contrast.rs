//! What is written can be read: the contrast of each text to what is behind it, in light and in dark.

use std::collections::BTreeMap;

use crate::{Faults, tab::Tab, themes};

/// What W3C asks for in text of the usual size (WCAG 2.1, 1.4.3), a little below as contrasts are rounded.
const LEAST: &str = "4.495";

/// The kinds of text with less. Colours of syntax in code are a matter of mdBook's.
const FAINT: &str = "(() => {
    const context = new OffscreenCanvas(1, 1).getContext('2d', { willReadFrequently: true });
    const known = new Map();
    const parts = colour => {
        if (!known.has(colour)) {
            context.clearRect(0, 0, 1, 1);
            context.fillStyle = colour;
            context.fillRect(0, 0, 1, 1);
            const [r, g, b, a] = context.getImageData(0, 0, 1, 1).data;
            known.set(colour, [r, g, b, a / 255]);
        }
        return known.get(colour);
    };
    const over = ([r, g, b, a], back) => [r, g, b].map((part, at) => part * a + back[at] * (1 - a));
    const behind = element => {
        if (!element) return [255, 255, 255];
        const own = parts(getComputedStyle(element).backgroundColor);
        return own[3] === 1 ? own.slice(0, 3) : over(own, behind(element.parentElement));
    };
    const opacity = element => element ? getComputedStyle(element).opacity * opacity(element.parentElement) : 1;
    const bright = colour => {
        const [r, g, b] = colour.map(part => part / 255).map(part =>
            part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4);
        return 0.2126 * r + 0.7152 * g + 0.0722 * b + 0.05;
    };
    const written = element => Array.from(element.childNodes).some(node => node.nodeType === 3 && node.data.trim());
    const faint = new Set();
    for (const element of document.querySelectorAll('main *')) {
        const name = element.localName;
        if (!written(element) || !element.checkVisibility({ visibilityProperty: true }) || element.closest('pre code *')
            || ['title', 'desc', 'script', 'style'].includes(name)) continue;
        const style = getComputedStyle(element), back = behind(element);
        const [r, g, b, a] = parts(element.closest('svg') ? style.fill : style.color);
        const front = over([r, g, b, a * opacity(element) * (element.closest('svg') ? style.fillOpacity : 1)], back);
        const [dark, light] = [bright(front), bright(back)].sort((one, other) => one - other);
        const show = colour => `rgb(${colour.map(Math.round)})`;
        if (light / dark < LEAST) {
            const ratio = (light / dark).toFixed(2);
            faint.add(`<${name}> in <${element.parentElement.localName}> ${ratio}: ${show(front)} on ${show(back)}`);
        }
    }
    return Array.from(faint);
})()";

/// What is too faint, by its kind, and the pages where it is.
#[derive(Default)]
pub(crate) struct Faint(BTreeMap<String, Vec<String>>);

impl Faint {
    /// Looks at the page that is open, in dark and in light.
    pub(crate) async fn look(&mut self, tab: &mut Tab, page: &str) {
        for system in ["dark", "light"] {
            themes::prefer(tab, system).await;
            // mdBook follows with a script, and by sheets that come only then.
            let theme = if system == "dark" { "navy" } else { "light" };
            let followed = format!(
                "matchMedia('(prefers-color-scheme: {system})').matches
                 && (!document.getElementById('mdbook-theme-toggle') || document.documentElement.matches('.{theme}'))
                 && Array.from(document.querySelectorAll('link[rel=stylesheet]')).every(link => link.disabled || link.sheet)"
            );
            if !tab.becomes(&followed).await || !themes::rest(tab).await {
                self.0.entry(format!("does not follow a {system} system")).or_default().push(page.to_owned());
            }
            let faint = tab.ask(&FAINT.replace("LEAST", LEAST)).await;
            for kind in faint.as_array().into_iter().flatten().filter_map(|kind| kind.as_str()) {
                self.0.entry(format!("too faint in {system}: {kind}")).or_default().push(page.to_owned());
            }
        }
    }

    pub(crate) fn faults(self) -> Faults {
        let fault = |(kind, pages): (String, Vec<String>)| format!("{}: {kind} ({} pages)", pages[0], pages.len());
        self.0.into_iter().map(fault).collect()
    }
}
