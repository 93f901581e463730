//! A report as text.

use std::{fmt, time::Duration};

use super::{
    Measured, Report, Warning,
    human::{human, number},
};
use crate::table::plain;

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.asked(f)?;
        writeln!(f, "\nAt worst:\n\n{}", plain(&self.worst()))?;
        if self.bounds.longest_open_ms.is_some() {
            let opens = self.bounds.time_to_open_ms.map(time);
            let opens =
                opens.map_or("does not open in the outage".to_owned(), |after| format!("opens after about {after}"));
            writeln!(f, "If attempts come evenly and hang, a breaker {opens}.\n")?;
        }
        writeln!(f, "In the outage, and after it:\n\n{}", plain(&self.figures()))?;
        writeln!(f, "What yours adds to the wait of a caller, answered or not:\n\n{}", plain(&self.waits()))?;
        if self.measured.iter().any(|seen| seen.truncated) {
            writeln!(f, "More attempts were sent than are followed: the figures would be worse.\n")?;
        }
        if self.warnings.is_empty() {
            return writeln!(f, "No warnings.");
        }
        writeln!(f, "Warnings: {}", self.warnings.len())?;
        self.warnings.iter().try_for_each(|warning| write!(f, "{warning}"))
    }
}

impl Report {
    fn asked(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (config, service) = (&self.config, &self.config.service);
        let rate = config.rps / f64::from(config.clients);
        let outage = time(config.outage_ms);
        let clients = match config.clients {
            1 => "one client".to_owned(),
            clients => format!("{clients} clients, {} of each", number(rate)),
        };
        writeln!(f, "{} requests a second of {clients}; an outage of {outage}.", number(config.rps))?;
        writeln!(
            f,
            "The service: {} requests a second, half of its answers within {}, a line of {}.",
            number(service.capacity_rps),
            time(service.latency_ms),
            time(service.queue_ms)
        )?;
        let run = &config.simulated;
        if run.clients < config.clients {
            writeln!(
                f,
                "Followed: {} of the clients, with {} requests a second and as much of the service.",
                run.clients,
                number(run.rps)
            )?;
        }
        Ok(())
    }

    fn worst(&self) -> Vec<Vec<String>> {
        let bounds = &self.bounds;
        let count = |count: Option<f64>| count.map_or("no limit".to_owned(), number);
        let wait = |ms: Option<f64>| ms.map_or("no limit".to_owned(), time);
        let mut lines = vec![("attempts of one request", count(bounds.attempts_per_request))];
        if bounds.attempts_with_elsewhere != bounds.attempts_per_request {
            lines.push(("the same, with the other layers", count(bounds.attempts_with_elsewhere)));
        }
        lines.push(("for each request of the outage, if some fail", count(bounds.amplification_if_some_fail)));
        lines.push(("if every attempt fails", count(bounds.amplification)));
        if let Some(granted) = bounds.extra_attempts_per_client {
            lines.push(("extra attempts of one client, if every one fails", number(granted)));
        }
        lines.push(("a caller waits", wait(bounds.longest_wait_ms)));
        lines.push(("if the server asks for delays", wait(bounds.longest_wait_with_server_delays_ms)));
        if let Some(longest) = bounds.longest_open_ms {
            lines.push(("a breaker is open after the outage for", time(longest)));
        }
        lines.into_iter().map(|(name, figure)| vec![name.to_owned(), figure]).collect()
    }

    fn figures(&self) -> Vec<Vec<String>> {
        let row = |name: &str, figure: &dyn Fn(&Measured) -> String| {
            let cells = self.measured.iter().map(figure);
            std::iter::once(name.to_owned()).chain(cells).collect()
        };
        let share = |share: f64| format!("{:.1} %", share * 100.0);
        let some = |ms: Option<f64>, none: &str| ms.map_or(none.to_owned(), time);
        vec![
            row("", &|seen| seen.policy.to_owned()),
            row("attempts for each request of the outage", &|seen| format!("{:.2}", seen.amplification)),
            row("peak load of a second, of the capacity", &|seen| format!("{:.2}", seen.peak_load)),
            row("answered, before it", &|seen| share(seen.answered_calm)),
            row("answered, of those of the outage", &|seen| share(seen.answered_during)),
            row("answered, of those of the minute after", &|seen| share(seen.answered_after)),
            row("answered, of both", &|seen| share(seen.answered)),
            row("half of the breakers open after", &|seen| some(seen.time_to_open_ms, "–")),
            row("recovered after", &|seen| some(seen.recovery_ms, "never")),
            row("before it, half of the answers within", &|seen| some(seen.calm_p50_ms, "–")),
            row("99 of 100 within", &|seen| some(seen.calm_p99_ms, "–")),
            row("from its begin on, half of them within", &|seen| some(seen.around_p50_ms, "–")),
            row("99 of 100 within", &|seen| some(seen.around_p99_ms, "–")),
        ]
    }
}

impl Report {
    fn waits(&self) -> Vec<Vec<String>> {
        let added = &self.added;
        let row = |name: &str, half: Option<f64>, most: Option<f64>| {
            let added = [half, most].map(|ms| ms.map_or("–".to_owned(), signed));
            [&[name.to_owned()], &added[..]].concat()
        };
        vec![
            ["", "half of them", "99 of 100"].map(str::to_owned).to_vec(),
            row("before the outage", added.calm_p50_ms, added.calm_p99_ms),
            row("from its begin on", added.around_p50_ms, added.around_p99_ms),
        ]
    }
}

impl fmt::Display for Warning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { id, what, why, instead } = self;
        writeln!(f, "\n{id}")?;
        let lines = [("What", format!("{what}.")), ("Why", (*why).to_owned()), ("Instead", instead.clone())];
        lines.iter().try_for_each(|(name, text)| writeln!(f, "{}", wrapped(&format!("{name}: {text}"))))
    }
}

/// In lines that a terminal has room for, a little to the right, all but the first of them a little more.
fn wrapped(text: &str) -> String {
    let mut lines = vec![String::from(" ")];
    for word in text.split(' ') {
        let width = lines.last().map_or(0, |line| line.chars().count());
        if width + 1 + word.chars().count() > WIDTH {
            lines.push(String::from("   "));
        }
        if let Some(line) = lines.last_mut() {
            line.push(' ');
            line.push_str(word);
        }
    }
    lines.join("\n")
}

/// In characters.
const WIDTH: usize = 100;

/// With its sign.
fn signed(ms: f64) -> String {
    let sign = if ms < 0.0 { "−" } else { "+" };
    format!("{sign}{}", time(ms.abs()))
}

fn time(ms: f64) -> String {
    human(Duration::try_from_secs_f64(ms / 1e3).unwrap_or(Duration::MAX))
}
