//! The figures of hedging as tables and charts.

use std::{collections::BTreeMap, io, iter, ops::Range};

use super::{Plan, Run, Scenario};
use crate::{
    chart::{
        Line, Panel, Scale,
        colours::{self, Colour},
    },
    sheet::{Parts, Sheet},
};

impl Plan {
    /// Carries it out, and shows the rows.
    ///
    /// # Errors
    ///
    /// As [`Parts::sheet`]; here there is no reason.
    pub fn sheet(&self) -> io::Result<Sheet> {
        let runs = self.runs();
        let rows: Vec<_> = runs.iter().map(|run| run.row).collect();
        let details: Vec<_> = runs.iter().map(|run| run.detail).collect();
        let shown = |(scenario, caption, more): &(Scenario, &'static str, &[Column])| {
            let of: Vec<&Run> = of(&runs, *scenario).collect();
            (!of.is_empty()).then(|| (*caption, table(&of, more)))
        };
        Parts {
            rows: &rows,
            more: BTreeMap::from([("details", serde_json::to_value(&details)?)]),
            about: self.about(),
            tables: TABLES.iter().filter_map(shown).collect(),
            notes: NOTES,
            panels: vec![
                panel(&runs, Scenario::Headline, "A tail of 5 %, no budget", 2.0..200.0),
                panel(&runs, Scenario::BrownOut, "A brown-out; a budget of 20 %, tower has none", 20.0..2_000.0),
            ],
        }
        .sheet()
    }

    fn about(&self) -> String {
        format!(
            "About {} requests a row, {} a second, in virtual time, after 130 s discarded. An attempt takes 5 ms in the \
             mean (lognormal,\nstandard deviation 2 ms); 5 % of the attempts take ten times as long, whichever request \
             they belong to. Extra load is\nattempts after the first, per request. The service does not become slower \
             by load: a real one would.",
            self.requests, self.per_second,
        )
    }
}

/// Its head, and what it shows of a run.
type Column = (&'static str, fn(&Run) -> String);

/// The columns of all tables.
const COLUMNS: [Column; 6] = [
    ("p50", |run| ms(run.row.p50_ms)),
    ("p90", |run| ms(run.row.p90_ms)),
    ("p95", |run| ms(run.row.p95_ms)),
    ("p99", |run| ms(run.row.p99_ms)),
    ("p99.9", |run| ms(run.row.p999_ms)),
    ("extra load", |run| percent(run.row.extra_load)),
];

const SECOND_AFTER: Column = ("2nd after", |run| run.detail.second_after_ms.map_or_else(|| "–".to_owned(), ms));

const TABLES: [(Scenario, &str, &[Column]); 6] = [
    (
        Scenario::Headline,
        "5 % of the attempts are slow; no budget unless it is named (ms)",
        &[
            SECOND_AFTER,
            ("of its first 30 s", |run| percent(run.detail.extra_in_start)),
            ("1st hedge at", |run| {
                run.detail.first_second_attempt_s.map_or_else(|| "–".to_owned(), |s| format!("{s:.2} s"))
            }),
        ],
    ),
    (Scenario::Tail2, "2 % are slow (ms)", &[SECOND_AFTER]),
    (Scenario::Tail10, "10 % are slow (ms)", &[SECOND_AFTER]),
    (Scenario::Correlated, "5 % of the requests are slow, whoever is asked (ms)", &[SECOND_AFTER]),
    (
        Scenario::Failing,
        "5 % of the attempts are slow, and 10 % fail after 1 ms (ms, of the requests that succeeded)",
        &[("failed", |run| percent(run.detail.failed))],
    ),
    (
        Scenario::BrownOut,
        "Every attempt takes ten times as long as before; a ratio budget of 20 % unless another is named (ms)",
        &[
            ("in the 1st s", |run| percent(run.detail.extra_in_first_s)),
            ("first 10 s", |run| percent(run.detail.extra_in_first_10_s)),
            ("after 60 s", |run| percent(run.detail.extra_later)),
        ],
    ),
];

fn table(runs: &[&Run], more: &[Column]) -> Vec<Vec<String>> {
    let columns = || COLUMNS.iter().chain(more);
    let head = iter::once("policy".to_owned()).chain(columns().map(|(head, _)| (*head).to_owned())).collect();
    let line = |run: &&Run| {
        let cells = columns().map(|(_, cell)| cell(run));
        iter::once(run.row.policy.to_owned()).chain(cells).collect()
    };
    iter::once(head).chain(runs.iter().map(line)).collect()
}

fn of(runs: &[Run], scenario: Scenario) -> impl Iterator<Item = &Run> {
    runs.iter().filter(move |run| run.row.scenario == scenario.name())
}

/// The share of requests that take longer, over the latency.
fn panel(runs: &[Run], scenario: Scenario, title: &str, x: Range<f64>) -> Panel {
    let step = (x.end / x.start).ln() / f64::from(POINTS);
    let at = |point: u32| x.start * (f64::from(point) * step).exp();
    let share = |run: &Run, ms: f64| {
        let percent = run.latencies.share_longer(ms)? * 100.0;
        (percent >= RAREST).then_some(percent)
    };
    let line = |&(policy, colour, width): &(&str, Colour, u32)| {
        let run = of(runs, scenario).find(|run| run.row.policy == policy)?;
        let points = (0..=POINTS).map(|point| (at(point), share(run, at(point)))).collect();
        Some(Line { label: policy.to_owned(), colour, width, points })
    };
    Panel {
        title: title.to_owned(),
        x_label: "latency (ms)".to_owned(),
        y_label: "requests that take longer (%)".to_owned(),
        x: x.clone(),
        y: RAREST..100.0,
        scale: Scale::LogLog,
        bands: Vec::new(),
        lines: LINES.iter().filter_map(line).collect(),
    }
}

/// Those that are drawn, by policy, colour and width.
const LINES: [(&str, Colour, u32); 6] = [
    ("none", colours::GREY, 4),
    ("fixed-10ms", colours::AMBER, 2),
    // Wide, for tower's p95 lies on it: it comes to hedge as much.
    ("p90", colours::BLUE, 5),
    ("p90x2", colours::GREEN, 2),
    ("p95", colours::ORANGE, 2),
    ("tower-p95", colours::PURPLE, 2),
];

/// In percent: of fewer requests the line would be the luck of a few.
const RAREST: f64 = 0.02;

const POINTS: u32 = 160;

fn ms(ms: f64) -> String {
    format!("{ms:.1}")
}

fn percent(share: f64) -> String {
    format!("{:.1} %", share * 100.0)
}

const NOTES: &str = "\
p90, p95   a hedge when the first attempt takes longer than 90 % or 95 % of all do (Quantile), so for 10 % or 5 % of them
p90x2 …    up to two hedges, the second at twice that time
…-tokens   with the budget that a layer gives itself: it pays for one hedge in 14 successes, which p95 stays below
tower-…    tower::hedge 0.5 at the same shares, with a period of 30 s and 100 data points; eager: with none
What to take from it:
- The share is the price, and the shape of the tail says what it buys. Where 5 % are slow, p90 is late enough for the quick
  ones and early enough for all slow ones, and p99 is a quarter. p95 lies between the two kinds; where 10 % are slow it is
  the time of a slow one, and p99 is two thirds. Choose a share that leaves more than the slow ones.
- A second hedge costs little, for it is rare. It halves the p99.9 of p90; the p99 stays.
- A fixed delay is as good as the latencies are known. When they change it is another policy: it hedges everything in a
  brown-out, for as long as that lasts, and a budget only bounds that: it pays for a fifth, and buys nearly nothing. An estimate
  follows, and what it hedges before it has is what a budget is for.
- The ratio holds over its 10 s, not in each second: what was saved up before goes in the first. The tokens save up for 35.
- A layer's own budget is less than p90 asks for. Who wants that gives it a ratio.
- If a request is slow whoever is asked, hedges are load for nothing.
tower::hedge, as its source says:
- It learns from attempts that completed, and drops the losers unseen. So slow ones are missing, the estimate is too low, and
  it hedges 7 to 14 % for p95, the more the heavier the tail. It buys what hedging so many buys.
- The first result of either attempt is the answer, a failure as well: a hedge adds a chance to fail. Here failures are errors;
  where they are responses it has no way to tell. This library sends the next attempt when one has failed, which is most of its
  extra load in that table.
- It reads one period while it fills the next: no hedge in the first one, or one for every request, sent at once, if it is told
  to wait for no data. In a brown-out it hedges everything until the period is over, and has no budget.
- Its unit is the millisecond, rounded up. It is asked here in time that is a hundred times as slow, where that is 10 µs: in life
  its estimate of a service that takes 5 ms is coarser than this.";
