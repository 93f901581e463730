//! A picture of the lab as a part of a page: in the page's colours, and with names that are its own.

use evenkeel_lab::sheet::Chart;

use crate::markdown::escaped;

/// The picture in the colours of the page that it stands in: what is black is drawn in the colour of the text, and what is
/// white not at all. It has no empty line, at which HTML within Markdown would end.
#[must_use]
pub fn themed(svg: &str) -> String {
    let mut themed = svg.replace("\"#000000\"", "\"currentColor\"").replace("\"#FFFFFF\"", "\"none\"");
    for attribute in ["fill", "stroke"] {
        themed = themed.replace(&format!("{attribute}=\"black\""), &format!("{attribute}=\"currentColor\""));
        themed = themed.replace(&format!("{attribute}=\"white\""), &format!("{attribute}=\"none\""));
    }
    let themed = as_large_as_asked(&themed);
    let lines: Vec<_> = themed.lines().map(str::trim_end).filter(|line| !line.is_empty()).collect();
    lines.join("\n")
}

/// plotters takes the size of a font for the height of its lines, and writes less: 9.7 pixels where the lab asks for 12. That is
/// too small to be read on a phone, and the lab has left room for what it asks for.
fn as_large_as_asked(svg: &str) -> String {
    const NAME: &str = "font-size=\"";
    const LINE_HEIGHT: f64 = 1.24;
    let mut parts = svg.split(NAME);
    let mut large = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let end = part.find('"').unwrap_or(0);
        let size = part[..end].parse::<f64>().map(|size| format!("{:.1}", size * LINE_HEIGHT));
        large += NAME;
        large += size.as_deref().unwrap_or(&part[..end]);
        large += &part[end..];
    }
    large
}

/// The picture as a figure of HTML with its title below. `id` is its name, which nothing else on the page has; `files` is what
/// the files with its rows are called, seen from the page, without their extension.
///
/// A picture is as wide as it must be for its text to be read, and scrolls in itself where the page is narrower.
#[must_use]
pub fn figure(chart: &Chart, id: &str, files: &str) -> String {
    let Chart { title, svg, .. } = chart;
    let title = escaped(title);
    let svg = themed(svg)
        .replacen("<svg ", &format!("<svg aria-labelledby=\"{id}-title {id}-desc\" "), 1)
        .replacen("<title>", &format!("<title id=\"{id}-title\">"), 1)
        .replacen("<desc>", &format!("<desc id=\"{id}-desc\">"), 1);
    format!(
        "<figure class=\"chart\" id=\"{id}\">\n<div class=\"scroll\" role=\"region\" \
         aria-label=\"{title}\" tabindex=\"0\">\n{svg}\n</div>\n\
         <figcaption>{title}. The rows: <a href=\"{files}.csv\">CSV</a>, <a href=\"{files}.json\">JSON</a>; \
         <a href=\"{files}.svg\">all charts of it</a>.</figcaption>\n</figure>\n"
    )
}

#[cfg(test)]
mod tests {
    use evenkeel_lab::{chart::colours, experiment::Experiment};

    use super::*;

    fn chart() -> Chart {
        let svg = "<svg role=\"img\" width=\"620\">\n<title>A &amp; b</title>\n<desc>c</desc>\n\
                   <rect fill=\"#FFFFFF\"/>\n\n<text fill=\"#000000\">\n#000000 \n</text>\n</svg>\n";
        Chart { title: "A & b".to_owned(), alt: "c".to_owned(), svg: svg.to_owned() }
    }

    #[test]
    fn black_is_the_colour_of_the_text_and_white_is_nothing() {
        let themed = themed(&chart().svg);
        assert!(
            themed.contains("<rect fill=\"none\"/>") && themed.contains("<text fill=\"currentColor\">"),
            "{themed}"
        );
        // A label says what it says.
        assert!(themed.contains("\n#000000\n"), "{themed}");
    }

    #[test]
    fn text_is_as_large_as_the_lab_has_asked_for() {
        let svg = "<text font-size=\"9.67741935483871\">a</text><text font-size=\"1em\">b</text>";
        assert_eq!(themed(svg), "<text font-size=\"12.0\">a</text><text font-size=\"1em\">b</text>");
    }

    #[test]
    fn a_picture_is_one_piece_of_html() {
        let figure = figure(&chart(), "chart-1", "figures/a");
        assert!(figure.starts_with("<figure ") && figure.ends_with("</figure>\n") && !figure.contains("\n\n"));
    }

    #[test]
    fn its_title_and_description_are_named_by_ids_of_its_own() {
        let figure = figure(&chart(), "chart-7", "../figures/a");
        for part in [
            "<svg aria-labelledby=\"chart-7-title chart-7-desc\" role=\"img\"",
            "<title id=\"chart-7-title\">A &amp; b</title>",
            "<desc id=\"chart-7-desc\">c</desc>",
            "<div class=\"scroll\" role=\"region\" aria-label=\"A &amp; b\" tabindex=\"0\">",
            "<figcaption>A &amp; b. ",
            "href=\"../figures/a.csv\"",
            "href=\"../figures/a.json\"",
        ] {
            assert!(figure.contains(part), "{part} in {figure}");
        }
    }

    #[test]
    fn what_the_lab_draws_has_no_colour_of_one_theme_alone() {
        let sheet = Experiment::Budgets.sheet(1, true).expect("figures");
        let themed = themed(&sheet.charts[0].svg);
        assert!(themed.contains("currentColor") && !themed.contains("#000000\"") && !themed.contains("#FFFFFF"));
        let colours = themed.split("stroke=\"#").skip(1).map(|rest| &rest[..6]);
        let mut seen = 0;
        for colour in colours {
            seen += 1;
            assert_legible(hex(colour));
        }
        assert!(seen > 5, "{seen}");
    }

    #[test]
    fn the_colours_of_the_lab_are_legible_on_light_and_on_dark() {
        for colour in [colours::GREY, colours::BLUE, colours::ORANGE, colours::GREEN, colours::PURPLE, colours::AMBER] {
            assert_legible(colour);
        }
    }

    const WHITE: colours::Colour = (255, 255, 255);
    /// `--bg` of mdBook's navy, the dark of the site, and of its coal.
    const DARK: [colours::Colour; 2] = [(22, 25, 35), (19, 21, 22)];

    /// What WCAG 2.1 asks for graphics (1.4.11).
    fn assert_legible(colour: colours::Colour) {
        assert!(contrast(colour, WHITE) >= 3.0 && contrast(colour, DARK[0]) >= 3.0, "{colour:?}");
    }

    #[test]
    fn links_are_legible_on_the_page_and_in_code() {
        let css = include_str!("../../book/theme/site.css");
        let links: Vec<colours::Colour> = css.split("--links: #").skip(1).map(|rest| hex(&rest[..6])).collect();
        // The dark themes, sand, and the dark where there is no script.
        assert!(links.len() == 3 && links[0] == links[2], "{links:?}");
        assert!(contrast(links[1], (225, 225, 219)) >= 4.5);
        // Behind code, and behind quotes.
        let behind = [(29, 31, 33), (37, 40, 50)];
        for ground in DARK.into_iter().chain(behind) {
            assert!(contrast(links[0], ground) >= 4.5, "{ground:?}: {}", contrast(links[0], ground));
        }
        for ground in [WHITE, (246, 247, 246)] {
            assert!(contrast(MDBOOK_LIGHT, ground) >= 4.5, "{ground:?}: {}", contrast(MDBOOK_LIGHT, ground));
        }
    }

    /// `--links` of mdBook's light.
    const MDBOOK_LIGHT: colours::Colour = (32, 96, 159);

    fn hex(colour: &str) -> colours::Colour {
        let part = |at: usize| u8::from_str_radix(&colour[at..at + 2], 16).expect("a colour");
        (part(0), part(2), part(4))
    }

    #[test]
    fn text_is_at_least_twelve_pixels_where_a_picture_is_narrowest() {
        let css = include_str!("../../book/theme/site.css");
        let narrowest = css.split_once("min-width: ").and_then(|(_, rest)| rest.split_once("px")).expect("a width").0;
        let narrowest: f64 = narrowest.parse().expect("a number");
        let sheet = Experiment::Budgets.sheet(1, true).expect("figures");
        let themed = themed(&sheet.charts[0].svg);
        let number = |rest: &str| rest.split('"').next().and_then(|text| text.parse::<f64>().ok()).expect("a number");
        let width = number(themed.split_once("width=\"").expect("a width").1);
        for size in themed.split("font-size=\"").skip(1).map(number) {
            assert!(size * narrowest / width >= 12.0, "{size} of {width}");
        }
    }

    /// As WCAG 2.1 has it.
    fn contrast(one: colours::Colour, other: colours::Colour) -> f64 {
        let linear = |part: u8| match f64::from(part) / 255.0 {
            dark @ ..=0.04045 => dark / 12.92,
            light => ((light + 0.055) / 1.055).powf(2.4),
        };
        let luminance = |(r, g, b)| 0.2126 * linear(r) + 0.7152 * linear(g) + 0.0722 * linear(b);
        let (one, other) = (luminance(one) + 0.05, luminance(other) + 0.05);
        one.max(other) / one.min(other)
    }
}
