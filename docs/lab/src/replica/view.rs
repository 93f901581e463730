//! The figures of the bad backend as tables and charts.

use std::{collections::BTreeMap, io, iter};

use super::{Detail, Plan, Run, Scenario, Strategy};
use crate::{
    chart::{
        self, Band, Line, Panel, Scale,
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
        let details: Vec<_> = runs.iter().map(|run| &run.detail).collect();
        Parts {
            rows: &rows,
            more: BTreeMap::from([("details", serde_json::to_value(&details)?)]),
            about: self.about(),
            tables: SCENARIOS.iter().map(|(scenario, caption, _)| (*caption, table(&runs, *scenario))).collect(),
            notes: NOTES,
            panels: self.panels(&runs),
        }
        .sheet()
    }

    fn about(&self) -> String {
        let [calm, fault] = [self.calm, self.fault].map(|time| time.as_secs_f64());
        format!(
            "{} clients, {} requests a second each, in virtual time; ten backends that answer in 20 ms (lognormal, \
             median; σ is 0.5),\npicked at random. After {calm} s one of them is bad, for {fault} s, of which these \
             are the figures. An attempt has 1 s,\na request 2 s; who was not answered has waited for all of them.",
            self.clients, self.per_second,
        )
    }

    fn panels(&self, runs: &[Run]) -> Vec<Panel> {
        let slow = SCENARIOS.iter().map(|(scenario, _, title)| {
            self.panel(runs, *scenario, (title, "requests that are slow or not answered (%)"), |detail| &detail.slow)
        });
        let to_bad = self.panel(
            runs,
            Scenario::Slow,
            ("Where attempts go while one is slow", "attempts sent to the bad one (%)"),
            |detail| &detail.to_bad,
        );
        slow.chain([to_bad]).collect()
    }

    fn panel(
        &self,
        runs: &[Run],
        scenario: Scenario,
        (title, y_label): (&str, &str),
        values: fn(&Detail) -> &[Option<f64>],
    ) -> Panel {
        let x = -self.calm.as_secs_f64().min(10.0)..(self.fault + self.after).as_secs_f64();
        let line = |&(strategy, colour, width): &(Strategy, Colour, u32)| {
            let run = of(runs, scenario).find(|run| run.row.strategy == strategy.name())?;
            let shares = values(&run.detail).iter().map(|share| share.map(|share| share * 100.0));
            let points = run.detail.at_s.iter().copied().zip(shares).filter(|(at, _)| x.contains(at)).collect();
            Some(Line { label: strategy.name().to_owned(), colour, width, points })
        };
        let lines: Vec<Line> = LINES.iter().filter_map(line).collect();
        Panel {
            title: title.to_owned(),
            x_label: "since one of ten went bad (s)".to_owned(),
            y_label: y_label.to_owned(),
            x: x.clone(),
            y: 0.0..chart::top(&lines, 12.0),
            scale: Scale::Linear,
            bands: vec![Band {
                label: "bad".to_owned(),
                x: 0.0..self.fault.as_secs_f64(),
                shade: (colours::AMBER, 0.15),
            }],
            lines,
        }
    }
}

const SCENARIOS: [(Scenario, &str, &str); 3] = [
    (Scenario::Slow, "It takes twenty times as long (latencies in ms)", "One of ten is twenty times as slow"),
    (Scenario::Hangs, "It never answers (latencies in ms)", "One of ten never answers"),
    (Scenario::Fails, "It answers 503 at once (latencies in ms)", "One of ten answers 503 at once"),
];

/// Its head, and what it shows of a run.
type Column = (&'static str, fn(&Run) -> String);

const COLUMNS: [Column; 9] = [
    ("answered", |run| format!("{:.2} %", run.row.answered * 100.0)),
    ("p50", |run| ms(run.row.p50_ms)),
    ("p99", |run| ms(run.row.p99_ms)),
    ("p99.9", |run| ms(run.row.p999_ms)),
    ("extra load", |run| percent(run.row.extra_load)),
    ("before", |run| percent(run.detail.calm_extra_load)),
    ("to the bad one", |run| percent(run.row.to_bad)),
    ("last third", |run| percent(run.detail.to_bad_later)),
    ("around it after", |run| run.detail.around_after_s.map_or_else(|| "–".to_owned(), |s| format!("{s:.0} s"))),
];

fn table(runs: &[Run], scenario: Scenario) -> Vec<Vec<String>> {
    let head = iter::once("strategy".to_owned()).chain(COLUMNS.iter().map(|(head, _)| (*head).to_owned())).collect();
    let line = |run: &Run| {
        let cells = COLUMNS.iter().map(|(_, cell)| cell(run));
        iter::once(run.row.strategy.to_owned()).chain(cells).collect()
    };
    iter::once(head).chain(of(runs, scenario).map(line)).collect()
}

fn of(runs: &[Run], scenario: Scenario) -> impl Iterator<Item = &Run> {
    runs.iter().filter(move |run| run.row.scenario == scenario.name())
}

/// Those that are drawn, by strategy, colour and width: the wide ones first, for others lie on them.
const LINES: [(Strategy, Colour, u32); 5] = [
    (Strategy::None, colours::GREY, 6),
    (Strategy::Hedge, colours::PURPLE, 6),
    (Strategy::Retry, colours::ORANGE, 3),
    (Strategy::Breaker, colours::BLUE, 2),
    (Strategy::All, colours::GREEN, 2),
];

fn ms(ms: f64) -> String {
    format!("{ms:.0}")
}

fn percent(share: f64) -> String {
    format!("{:.1} %", share * 100.0)
}

const NOTES: &str = "\
none         gives an attempt up after 1 s, and that is all
retry        asks another backend when an attempt has failed, twice at most, from 50 ms with full jitter (Retry)
hedge        asks another backend when the first is later than the p95 of what the client saw, or has failed (Hedge,
             Quantile)
breaker      a breaker for each backend (BreakerMap): five failures in a row open it, or five slow calls (200 ms) of
             the last ten; the balancer passes over those that reject
all          the retry around the hedge around the breakers; what the hedge drops after 40 ms has failed for the
             breaker (Abandoned::FailureAfter)
all-unheard  the same, and what the hedge drops says nothing, as is a breaker's default (Abandoned::Ignored)
Retries and hedges are paid from one budget: 20 % of the requests, and one a second (RatioBudget). Extra load is
attempts after the first, per request; before is that of the calm. Around it after: when fewer than 2 % of the requests
were slow (200 ms) or not answered, and stayed so. Each client has to find out for itself.
What to take from it:
- A retry is for what fails. A backend that is slow does not fail, so nothing changes; one that hangs has failed when
  the time limit of the attempt is over, which the caller has waited for.
- A hedge gets around all three at once, and does not know it: it asks the bad one as often as before, and pays each
  time. Its p95 rises, too, for now one attempt in ten is late.
- A breaker knows, and stops asking. Those it learns from are requests: the first few, and its probes. Alone, it has
  nobody to answer them, so they are in its tail.
- Together: the hedge answers what the breaker learns from, and the breaker brings the extra load back to that of the
  calm.
- The trap: the hedge drops the slow attempt long before it could be slow or time out, and by default a dropped call
  says nothing. So the breaker never opens, and the row is that of the hedge. The time of FailureAfter must be shorter
  than the delay of the hedge. Where the bad one fails nothing is dropped, and there is no trap.
- A client asks a backend once a second, so its breakers must decide on few results: with the default of ten failures
  in a row it takes twice as long. Few results are weak evidence as well: a slow backend answers one probe in twelve
  quickly, and is closed.
- A balancer that picks who has least to do would send more to a backend that answers 503 at once, for it is always
  free. This one picks at random: it is the kinder case.
- No backend is short of places here. What extra load does to those that are is shown by `overload`.";
