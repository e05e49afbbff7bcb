use super::*;
use crate::store::Tally;

const AT: Timestamp = Timestamp::from_ms(1_795_262_400_999);

fn rendered(metrics: &Metrics) -> String {
    metrics.render(None)
}

/// The value of the one line that begins with `series` and a blank.
#[track_caller]
fn value<'t>(text: &'t str, series: &str) -> &'t str {
    let mut lines = text
        .lines()
        .filter_map(|line| line.strip_prefix(series)?.strip_prefix(' '));
    let found = lines.next().unwrap_or_else(|| panic!("no {series} in:\n{text}"));
    assert_eq!(lines.next(), None, "{series} is there twice");
    found
}

#[test]
fn every_outcome_is_there_from_the_start_and_counts_for_itself() {
    let metrics = Metrics::new();
    let series =
        |outcome: RenewalOutcome| format!("patchbay_renewals_total{{outcome=\"{}\"}}", outcome.as_str());
    for outcome in RenewalOutcome::ALL {
        assert_eq!(value(&rendered(&metrics), &series(outcome)), "0");
    }
    for (index, outcome) in RenewalOutcome::ALL.into_iter().enumerate() {
        (0..=index).for_each(|_| metrics.renewal(outcome));
    }
    for (index, outcome) in RenewalOutcome::ALL.into_iter().enumerate() {
        assert_eq!(
            value(&rendered(&metrics), &series(outcome)),
            (index + 1).to_string()
        );
    }
    let total = rendered(&metrics).matches("patchbay_renewals_total{").count();
    assert_eq!(total, RenewalOutcome::ALL.len());
}

#[test]
fn every_kind_and_end_of_a_call_counts_for_itself() {
    let metrics = Metrics::new();
    metrics.spotify_call(Kind::Search, CallOutcome::RateLimited);
    let text = rendered(&metrics);
    for (kind, outcome) in Kind::ALL
        .into_iter()
        .flat_map(|kind| CallOutcome::ALL.map(|outcome| (kind, outcome)))
    {
        let counted = (kind, outcome) == (Kind::Search, CallOutcome::RateLimited);
        let (kind, outcome) = (kind.as_str(), outcome.as_str());
        let series = format!("patchbay_spotify_calls_total{{kind=\"{kind}\",outcome=\"{outcome}\"}}");
        assert_eq!(value(&text, &series), u8::from(counted).to_string());
    }
}

#[test]
fn every_call_to_lastfm_is_a_series_from_the_start() {
    let metrics = Metrics::new();
    metrics.lastfm_call(LastfmCall::Recent, CallOutcome::Ok);
    let text = rendered(&metrics);
    for (call, outcome) in LastfmCall::ALL
        .into_iter()
        .flat_map(|call| CallOutcome::ALL.map(|outcome| (call, outcome)))
    {
        let counted = (call, outcome) == (LastfmCall::Recent, CallOutcome::Ok);
        let (call, outcome) = (call.as_str(), outcome.as_str());
        let series = format!("patchbay_lastfm_calls_total{{kind=\"{call}\",outcome=\"{outcome}\"}}");
        assert_eq!(value(&text, &series), u8::from(counted).to_string());
    }
}

#[test]
fn two_processes_count_apart_and_clones_together() {
    let (one, other) = (Metrics::new(), Metrics::new());
    one.clone().renewal(RenewalOutcome::Renewed);
    let renewed = "patchbay_renewals_total{outcome=\"renewed\"}";
    assert_eq!(value(&rendered(&one), renewed), "1");
    assert_eq!(value(&rendered(&other), renewed), "0");
}

#[test]
fn a_call_that_was_given_up_lies_beyond_the_last_bucket() {
    let metrics = Metrics::new();
    metrics.token_call(Duration::from_millis(120));
    metrics.token_call(TOKEN_CALL_TIMEOUT + Duration::from_millis(1));
    metrics.renewal_took(Duration::from_secs(31));
    let text = rendered(&metrics);
    let calls = "patchbay_token_call_seconds";
    assert_eq!(value(&text, &format!("{calls}_bucket{{le=\"0.1\"}}")), "0");
    assert_eq!(value(&text, &format!("{calls}_bucket{{le=\"0.2\"}}")), "1");
    assert_eq!(value(&text, &format!("{calls}_bucket{{le=\"10.0\"}}")), "1");
    assert_eq!(value(&text, &format!("{calls}_count")), "2");
    let waits = "patchbay_renewal_wait_seconds";
    assert_eq!(value(&text, &format!("{waits}_bucket{{le=\"30.0\"}}")), "0");
    assert_eq!(value(&text, &format!("{waits}_sum")), "31.0");
}

#[test]
fn a_token_is_unwritten_until_somebody_says_that_it_is_written() {
    let metrics = Metrics::new();
    let (one, other) = (metrics.unwritten_token(), metrics.unwritten_token());
    assert_eq!(metrics.unwritten_tokens(), 2);
    drop(one);
    assert_eq!(value(&rendered(&metrics), "patchbay_unwritten_tokens"), "1");
    drop(other);
    assert_eq!(metrics.unwritten_tokens(), 0);
}

#[test]
fn passes_add_up_and_the_last_one_leaves_its_time() {
    let metrics = Metrics::new();
    let stamp = "patchbay_sweep_last_completed_timestamp_seconds";
    assert!(!rendered(&metrics).contains(stamp), "there was none");
    let swept = Swept {
        visited: 10,
        renewed: 1,
        left_to_others: 5,
        ended: 2,
        put_off: 3,
        failed: 4,
    };
    metrics.swept(swept, AT - Duration::from_hours(24));
    metrics.swept(swept, AT);
    let text = rendered(&metrics);
    assert_eq!(value(&text, stamp), "1795262400");
    assert_eq!(value(&text, "patchbay_sweep_passes_total"), "2");
    assert_eq!(value(&text, "patchbay_sweep_visits_total"), "20");
    for (result, total) in [
        ("renewed", "2"),
        ("left_to_others", "10"),
        ("ended", "4"),
        ("put_off", "6"),
        ("failed", "8"),
    ] {
        let series = format!("patchbay_sweep_results_total{{result=\"{result}\"}}");
        assert_eq!(value(&text, &series), total, "{result}");
    }
}

#[test]
fn what_the_database_did_not_say_is_not_made_up() {
    let metrics = Metrics::new();
    let down = rendered(&metrics);
    assert_eq!(value(&down, "patchbay_store_up"), "0");
    assert!(
        !down.contains("patchbay_users_due") && !down.contains("patchbay_grants_dead"),
        "{down}"
    );
    let tally = Some(Tally { due: 7, dead: 2 });
    let up = metrics.render(tally);
    assert_eq!(value(&up, "patchbay_store_up"), "1");
    assert_eq!(value(&up, "patchbay_users_due"), "7");
    assert_eq!(value(&up, "patchbay_grants_dead"), "2");
}

#[test]
fn it_is_one_open_metrics_text() {
    let metrics = Metrics::new();
    metrics.swept(Swept::default(), AT);
    let tally = Some(Tally::default());
    let text = metrics.render(tally);
    assert!(text.ends_with("# EOF\n"));
    assert_eq!(text.matches("# EOF").count(), 1);
    for line in text.lines().filter(|line| !line.starts_with('#')) {
        assert!(line.starts_with("patchbay_"), "{line}");
    }
    let mut described: Vec<_> = text.lines().filter(|line| line.starts_with("# TYPE")).collect();
    let families = described.len();
    described.dedup();
    assert_eq!(families, 13, "{described:?}");
    assert_eq!(text.matches("# HELP").count(), families, "each has its sentence");
}
