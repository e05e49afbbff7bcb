//! Dates as Last.fm writes them, and the beginning of a day, out of UNIX seconds (UTC).

const DAY_S: i64 = 24 * 60 * 60;

const MONTHS: [&str; 12] = [
    "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
];

/// From the day of the UNIX epoch on, which was a Thursday.
const WEEKDAYS: [&str; 7] = [
    "thursday",
    "friday",
    "saturday",
    "sunday",
    "monday",
    "tuesday",
    "wednesday",
];

/// `03 Jul 2026, 05:31`.
pub(super) fn of_play(at_s: i64) -> String {
    let (year, month, day) = civil(at_s);
    let name = usize::try_from(month - 1)
        .ok()
        .and_then(|month| MONTHS.get(month));
    format!(
        "{day:02} {} {year}, {}",
        name.copied().unwrap_or_default(),
        clock(at_s)
    )
}

/// `2002-11-20 11:50`.
pub(super) fn of_account(at_s: i64) -> String {
    let (year, month, day) = civil(at_s);
    format!("{year}-{month:02}-{day:02} {}", clock(at_s))
}

/// The beginning of this day.
fn midnight(at_s: i64) -> i64 {
    at_s - at_s.rem_euclid(DAY_S)
}

/// `now`, `today` or an English weekday as the moment it began.
pub(crate) fn since(word: &str, now_s: i64) -> Option<i64> {
    match word {
        "now" => Some(now_s),
        "today" => Some(midnight(now_s)),
        weekday => last_weekday(weekday, now_s),
    }
}

/// The beginning of the last day with this English name, today's if it is one; `None` if there is no such day.
fn last_weekday(name: &str, at_s: i64) -> Option<i64> {
    let wanted = WEEKDAYS.iter().position(|day| day.eq_ignore_ascii_case(name))?;
    let today = at_s.div_euclid(DAY_S);
    let back = (today - i64::try_from(wanted).ok()?).rem_euclid(7);
    Some((today - back) * DAY_S)
}

fn clock(at_s: i64) -> String {
    let of_day_s = at_s.rem_euclid(DAY_S);
    format!("{:02}:{:02}", of_day_s / 3600, of_day_s / 60 % 60)
}

/// Year, month and day (Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms", `civil_from_days`).
fn civil(at_s: i64) -> (i64, i64, i64) {
    let days = at_s.div_euclid(DAY_S) + 719_468;
    let era = days.div_euclid(146_097);
    let day_of_era = days.rem_euclid(146_097);
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 {
        month_from_march + 3
    } else {
        month_from_march - 9
    };
    (year_of_era + era * 400 + i64::from(month <= 2), month, day)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_those_of_the_calendar() {
        // The first is out of the reference, §4.1.
        assert_eq!(of_play(1_783_056_668), "03 Jul 2026, 05:31");
        assert_eq!(of_play(951_825_599), "29 Feb 2000, 11:59");
        assert_eq!(of_account(0), "1970-01-01 00:00");
        assert_eq!(of_account(-60), "1969-12-31 23:59");
    }

    #[test]
    fn a_weekday_is_the_last_one() {
        // Saturday, 21 November 2026, 12:00.
        let noon = 1_795_262_400;
        assert_eq!(last_weekday("Saturday", noon), Some(midnight(noon)));
        assert_eq!(last_weekday("monday", noon), Some(midnight(noon) - 5 * DAY_S));
        assert_eq!(last_weekday("sunday", noon), Some(midnight(noon) - 6 * DAY_S));
        assert_eq!(last_weekday("someday", noon), None);
    }
}
