//! Weekly charts.

use serde_json::json;

use super::{DAY_S, NOON_S, ask, ask_dora, names, plays, with_dora};

const CHART: &str = "user.getWeeklyTrackChart";

#[tokio::test]
async fn the_weeks_are_those_since_2005() {
    let sandbox = with_dora().await;
    let (status, body) = ask(&sandbox, "user.getWeeklyChartList", &[("user", "whoever")]).await;
    let list = &body["weeklychartlist"];
    assert_eq!((status, &list["@attr"]), (200, &json!({"user": "whoever"})));
    let weeks = list["chart"].as_array().expect("a list");
    assert_eq!(
        weeks[0],
        json!({"#text": "", "from": "1108296000", "to": "1108900800"})
    );
    // 1135 whole weeks and 6 days.
    assert_eq!(weeks.len(), 1135);
    assert_eq!(
        weeks[1134]["to"],
        json!((1_108_296_000 + 1135 * 604_800_i64).to_string())
    );
}

#[tokio::test]
async fn the_default_week_ends_at_the_last_noon() {
    let sandbox = with_dora().await;
    sandbox.world().advance_ms(3_600_000);
    for (title, at_s) in [
        ("in", NOON_S - 1),
        ("first", NOON_S - 7 * DAY_S),
        ("after", NOON_S),
    ] {
        plays(&sandbox, "Ana Log", title, at_s);
    }
    plays(&sandbox, "Ana Log", "in", NOON_S - 2);
    for one_alone in [[].as_slice(), &[("from", "1")], &[("to", "1")]] {
        let list = &ask_dora(&sandbox, CHART, one_alone).await["weeklytrackchart"];
        let attributes =
            json!({"user": "Dora", "from": (NOON_S - 7 * DAY_S).to_string(), "to": NOON_S.to_string()});
        assert_eq!(list["@attr"], attributes);
        assert_eq!(names(&list["track"]), ["in", "first"]);
    }
    sandbox.world().advance_ms(22 * 3_600_000 + 59 * 60_000);
    let list = &ask_dora(&sandbox, CHART, &[]).await["weeklytrackchart"];
    assert_eq!(
        list["@attr"]["to"],
        json!(NOON_S.to_string()),
        "a minute before the next noon"
    );
}

#[tokio::test]
async fn any_stretch_of_time_can_be_asked_for() {
    let sandbox = with_dora().await;
    for day in 0..30 {
        plays(&sandbox, "Ana Log", "daily", NOON_S - day * DAY_S);
    }
    plays(&sandbox, "Ana Log", "once", NOON_S - DAY_S);
    let (from, to) = ((NOON_S - 20 * DAY_S).to_string(), NOON_S.to_string());
    let window = [("from", from.as_str()), ("to", to.as_str())];
    let list = &ask_dora(&sandbox, CHART, &window).await["weeklytrackchart"];
    let first = &list["track"][0];
    assert_eq!(
        (&first["playcount"], &first["@attr"]),
        (&json!("20"), &json!({"rank": "1"}))
    );
    assert_eq!(first["artist"], json!({"mbid": "", "#text": "Ana Log"}));
    assert_eq!(first["image"].as_array().map(Vec::len), Some(3));
    let limited = [window[0], window[1], ("limit", "1")];
    let list = &ask_dora(&sandbox, CHART, &limited).await["weeklytrackchart"];
    assert_eq!(names(&list["track"]), ["daily"]);
    assert!(list["@attr"].get("totalPages").is_none());
}
