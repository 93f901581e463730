//! The charts that the chapters ask for are on their pages, have names, and can be seen, with their lines and legends.

use crate::{Faults, asked, site::Site, tab::Tab};

/// Of each chart its title, and what is wrong with it, as text, empty where nothing is. It is brought into the window to be seen
/// there. A line has a colour that the text has not; one with a text after it is a part of the legend. A chart without lines has
/// bars, each of them after its name.
const CHARTS: &str = "
    Array.from(document.querySelectorAll('figure.chart')).map(figure => {
        const svg = figure.querySelector('svg');
        if (!svg) return ['', 'is no SVG'];
        svg.scrollIntoView({ block: 'center', behavior: 'instant' });
        const box = svg.getBoundingClientRect();
        const text = name => svg.querySelector(`:scope > ${name}`)?.textContent.trim() ?? '';
        const seen = element => element.checkVisibility({ opacityProperty: true, visibilityProperty: true });
        const inside = box.bottom > 0 && box.top < innerHeight && box.right > 0 && box.left < innerWidth;
        const colour = shape => getComputedStyle(shape).stroke;
        const plain = ['none', getComputedStyle(svg).color];
        const coloured = Array.from(svg.querySelectorAll('path, polyline')).filter(shape => {
            const box = shape.getBoundingClientRect();
            return box.width + box.height > 0 && seen(shape) && !plain.includes(colour(shape));
        });
        const name = shape => shape.nextElementSibling?.localName === 'text' ? shape.nextElementSibling : null;
        const keys = coloured.filter(name), lines = coloured.filter(shape => !name(shape));
        const bars = Array.from(svg.querySelectorAll('rect')).filter(bar =>
            bar.previousElementSibling?.localName === 'text' && seen(bar) && bar.getBoundingClientRect().width > 0
            && !plain.includes(getComputedStyle(bar).fill));
        const names = lines.length > 0
            ? keys.map(key => seen(name(key)) ? name(key).textContent.trim() : '')
            : bars.map(bar => bar.previousElementSibling.textContent.trim());
        const wrong = () => {
            if (!(box.width > 0 && box.height > 0)) return `is ${box.width} by ${box.height}`;
            if (!seen(svg)) return 'is hidden';
            if (!inside) return 'is not in the window when scrolled to';
            if (!text('title')) return 'has no title';
            if (!text('desc')) return 'has no text alternative';
            if (lines.length === 0 && bars.length === 0) return 'has no line';
            if (names.includes('') || !lines.every(line => keys.map(colour).includes(colour(line))))
                return 'has a line that its legend does not name';
            const untold = names.find(name => !text('desc').includes(`${name}: `));
            if (untold !== undefined) return `has a line \"${untold}\" that its text alternative does not name`;
            return '';
        };
        return [text('title'), wrong()];
    })";

/// How many charts are on the page that is open, and what is wrong with them.
pub(crate) async fn seen_on(tab: &mut Tab, site: &Site, page: &str) -> (usize, Faults) {
    let charts = tab.ask(CHARTS).await;
    let charts = charts.as_array().map_or(&[][..], Vec::as_slice);
    let part = |index: usize| charts.iter().map(move |chart| chart[index].as_str().unwrap_or_default());
    let wrong = part(1).zip(1..).filter(|(wrong, _)| !wrong.is_empty());
    let mut faults: Faults = wrong.map(|(wrong, number)| format!("{page}: chart {number} {wrong}")).collect();
    let titles: Vec<&str> = part(0).collect();
    let asked = site.charts.get(page).map_or(&[][..], Vec::as_slice);
    if !asked::are(asked, &titles) {
        faults.push(format!("{page}: has the charts {titles:?}, and its chapter asks for {asked:?}"));
    }
    (charts.len(), faults)
}
