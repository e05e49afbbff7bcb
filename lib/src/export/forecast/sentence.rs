//! A forecast in one or two sentences for the person who wonders whether to begin.

use std::time::Duration;

use super::{Fits, Forecast, enough};
use crate::system::Timestamp;

/// "About 180 searches, 40 seconds. …"
pub(super) fn of(forecast: &Forecast, now: Timestamp) -> String {
    let searches = match forecast.search.likely {
        0 => "No searches".to_owned(),
        1 => "About one search".to_owned(),
        many => format!("About {} searches", grouped(many)),
    };
    format!(
        "{searches}, {}. {}",
        lasting(forecast.takes),
        outlook(forecast, now)
    )
}

fn outlook(forecast: &Forecast, now: Timestamp) -> String {
    let budget = &forecast.budget;
    if let Some(until) = budget.closed_until.filter(|until| *until > now) {
        let wait = lasting(until.since(now));
        return format!("Spotify refuses this app for another {wait}; the export would wait until then.");
    }
    let (Some(search), Some(playlist)) = (budget.search, budget.playlist) else {
        return "How much this app has used up is not known.".to_owned();
    };
    let spent = format!(
        "The app has made {} calls since yesterday",
        grouped(search.spent + playlist.spent)
    );
    let verdict = match forecast.fits {
        Fits::Yes => "this should fit",
        Fits::No => "this may not fit; the export would go on by itself later",
        Fits::Unknown => return format!("{spent}; how many it may make is not known."),
    };
    let kinds = [
        (search, forecast.search, "searches"),
        (playlist, forecast.playlist, "calls about playlists"),
    ];
    let decisive = kinds
        .into_iter()
        .find(|&(seen, calls, _)| enough(Some(seen), calls) == forecast.fits);
    match decisive.and_then(|(seen, _, name)| Some((seen.refused_after?, name))) {
        Some((after, name)) => {
            format!(
                "{spent} and was refused once after about {} {name}: {verdict}.",
                grouped(after)
            )
        }
        None => format!("{spent}: {verdict}."),
    }
}

/// In the largest unit that leaves at least two of it, rounded up.
fn lasting(time: Duration) -> String {
    let units = [("second", 1), ("minute", 60), ("hour", 3600)];
    let seconds = time.as_millis().div_ceil(1000).max(1);
    let (name, each) = units
        .into_iter()
        .rev()
        .find(|(_, each)| seconds >= 2 * each)
        .unwrap_or(units[0]);
    let count = seconds.div_ceil(each);
    let plural = if count == 1 { "" } else { "s" };
    format!("{count} {name}{plural}")
}

/// "2,100"
fn grouped(number: usize) -> String {
    let digits = number.to_string();
    let mut grouped = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::export::{Budget, Calls, Mode, Quota};

    const NOW: Timestamp = Timestamp::from_ms(1_790_000_000_000);

    fn sentence(likely: usize, seconds: u64, budget: Budget) -> String {
        let search = Calls {
            least: likely,
            likely,
            most: likely,
        };
        let mut forecast = Forecast {
            total: likely,
            remembered: 0,
            search,
            playlist: Calls::default(),
            other: Calls::default(),
            takes: Duration::from_secs(seconds),
            mode: Mode::Byo,
            budget,
            fits: budget.fits(search, Calls::default(), NOW),
            sentence: String::new(),
        };
        forecast.sentence = of(&forecast, NOW);
        forecast.sentence
    }

    #[test]
    fn it_says_what_is_known_and_no_more() {
        let spent = Budget {
            search: Some(Quota {
                spent: 500,
                refused_after: None,
            }),
            playlist: Some(Quota {
                spent: 12,
                refused_after: Some(40),
            }),
            closed_until: None,
        };
        let refused = Budget {
            search: Some(Quota {
                spent: 500,
                refused_after: Some(2100),
            }),
            ..spent
        };
        let closed = Budget {
            closed_until: Some(NOW + Duration::from_hours(3)),
            ..refused
        };
        for (said, expected) in [
            (
                sentence(180, 40, refused),
                "About 180 searches, 40 seconds. The app has made 512 calls since yesterday and was refused once after \
                 about 2,100 searches: this should fit.",
            ),
            (
                sentence(1_601, 360, refused),
                "About 1,601 searches, 6 minutes. The app has made 512 calls since yesterday and was refused once after \
                 about 2,100 searches: this may not fit; the export would go on by itself later.",
            ),
            (
                sentence(1, 1, spent),
                "About one search, 1 second. The app has made 512 calls since yesterday; how many it may make is not \
                 known.",
            ),
            (
                sentence(0, 1, closed),
                "No searches, 1 second. Spotify refuses this app for another 3 hours; the export would wait until then.",
            ),
            (
                sentence(0, 1, Budget::default()),
                "No searches, 1 second. How much this app has used up is not known.",
            ),
        ] {
            assert_eq!(said, expected);
        }
    }

    #[test]
    fn times_and_numbers_are_easy_to_read() {
        let times = [
            (0, "1 second"),
            (119, "119 seconds"),
            (120, "2 minutes"),
            (121, "3 minutes"),
            (7200, "2 hours"),
        ];
        for (seconds, expected) in times {
            assert_eq!(lasting(Duration::from_secs(seconds)), expected);
        }
        for (number, expected) in [(0, "0"), (999, "999"), (1000, "1,000"), (1_234_567, "1,234,567")] {
            assert_eq!(grouped(number), expected);
        }
    }
}
