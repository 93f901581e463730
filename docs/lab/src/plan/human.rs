//! Figures as people read them.

use std::time::Duration;

/// To three digits, or to the millisecond: `1.24 s`, `12.3 s`, `2m 3s`.
pub(super) fn human(time: Duration) -> String {
    let seconds = time.as_secs_f64();
    match seconds {
        ..0.9995 => format!("{:.0}ms", seconds * 1e3),
        ..9.995 => format!("{}s", trimmed(seconds, 2)),
        ..119.95 => format!("{}s", trimmed(seconds, 1)),
        _ => humantime::format_duration(Duration::from_secs(seconds.round() as u64)).to_string(),
    }
}

/// Milliseconds.
pub(super) fn ms(time: Duration) -> f64 {
    // To the microsecond, for whoever reads it.
    (time.as_secs_f64() * 1e6).round() / 1e3
}

/// To the thousandth.
pub(super) fn rounded(value: f64) -> f64 {
    (value * 1e3).round() / 1e3
}

/// A number without zeros at its end.
pub(super) fn number(value: f64) -> String {
    if value >= 100.0 { format!("{value:.0}") } else { trimmed(value, 2) }
}

fn trimmed(value: f64, digits: usize) -> String {
    let text = format!("{value:.digits$}");
    if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.').to_owned() } else { text }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_told_to_the_digits_that_matter() {
        let said = |ms: u64| human(Duration::from_millis(ms));
        assert_eq!([0, 999, 1_000, 1_240, 12_340, 119_000].map(said), ["0ms", "999ms", "1s", "1.24s", "12.3s", "119s"]);
        assert_eq!(said(123_400), "2m 3s");
        assert_eq!(human(Duration::from_micros(999_900)), "1s");
    }

    #[test]
    fn numbers_have_no_zeros_at_their_end() {
        assert_eq!([0.0, 1.5, 1.204, 12.0, 1234.5].map(number), ["0", "1.5", "1.2", "12", "1234"]);
    }
}
