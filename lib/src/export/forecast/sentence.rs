//! A forecast in one or two sentences for the person who wonders whether to begin.

use std::time::Duration;

use super::{Budget, Calls, Fits};
use crate::system::Timestamp;

/// "About 180 searches, 40 seconds. …"
pub(super) fn of(search: Calls, takes: Duration, budget: &Budget, fits: Fits, now: Timestamp) -> String {
    let searches = match search.likely {
        0 => "No searches".to_owned(),
        1 => "About one search".to_owned(),
        many => format!("About {} searches", grouped(many)),
    };
    format!("{searches}, {}. {}", lasting(takes), outlook(budget, fits, now))
}

fn outlook(budget: &Budget, fits: Fits, now: Timestamp) -> String {
    if let Some(until) = budget.closed_until.filter(|until| *until > now) {
        let wait = lasting(until.since(now));
        return format!("Spotify refuses this app for another {wait}; the export would wait until then.");
    }
    let Some(spent) = total(budget.spent_search, budget.spent_playlist) else {
        return "What this app has used up is not known.".to_owned();
    };
    let spent = format!("The app has made {} calls since yesterday", grouped(spent));
    let refused_after = budget.refused_after_search.max(budget.refused_after_playlist);
    match (refused_after, fits) {
        (Some(after), Fits::Yes) => {
            format!(
                "{spent} and was refused once after about {}: this should fit.",
                grouped(after)
            )
        }
        (Some(after), Fits::No) => format!(
            "{spent} and was refused once after about {}: this may not fit, and the export would go on by itself later.",
            grouped(after)
        ),
        _ => format!("{spent} and was not refused: how many it may make is not known."),
    }
}

fn total(one: Option<usize>, other: Option<usize>) -> Option<usize> {
    match (one, other) {
        (None, None) => None,
        (one, other) => Some(one.unwrap_or(0) + other.unwrap_or(0)),
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

    const NOW: Timestamp = Timestamp::from_ms(1_790_000_000_000);

    fn sentence(likely: usize, seconds: u64, budget: Budget, fits: Fits) -> String {
        let search = Calls {
            likely,
            ..Calls::default()
        };
        of(search, Duration::from_secs(seconds), &budget, fits, NOW)
    }

    #[test]
    fn it_says_what_is_known_and_no_more() {
        let spent = Budget {
            spent_search: Some(500),
            spent_playlist: Some(12),
            ..Budget::default()
        };
        let refused = Budget {
            refused_after_search: Some(2100),
            ..spent
        };
        let closed = Budget {
            closed_until: Some(NOW + Duration::from_hours(3)),
            ..refused
        };
        for (said, expected) in [
            (
                sentence(180, 40, refused, Fits::Yes),
                "About 180 searches, 40 seconds. The app has made 512 calls since yesterday and was refused once after \
                 about 2,100: this should fit.",
            ),
            (
                sentence(1800, 360, refused, Fits::No),
                "About 1,800 searches, 6 minutes. The app has made 512 calls since yesterday and was refused once after \
                 about 2,100: this may not fit, and the export would go on by itself later.",
            ),
            (
                sentence(1, 1, spent, Fits::Unknown),
                "About one search, 1 second. The app has made 512 calls since yesterday and was not refused: how many it \
                 may make is not known.",
            ),
            (
                sentence(0, 1, closed, Fits::No),
                "No searches, 1 second. Spotify refuses this app for another 3 hours; the export would wait until then.",
            ),
            (
                sentence(0, 1, Budget::default(), Fits::Unknown),
                "No searches, 1 second. What this app has used up is not known.",
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
