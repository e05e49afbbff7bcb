//! The table, and in words whatever went wrong.

use std::collections::BTreeMap;

use sandbox::Catalog;

use crate::judge::{Outcome, Verdict};

/// Prints the table, then every song that was matched wrongly or not at all.
pub fn print(verdicts: &[Verdict<'_>], catalog: &Catalog) {
    println!(
        "| songs | number | in the catalogue | right | wrong | missed | never shown by a search | precision | recall | searches per song |"
    );
    println!("| --- | --: | --: | --: | --: | --: | --: | --: | --: | --: |");
    let mut languages: BTreeMap<&str, Vec<&Verdict<'_>>> = BTreeMap::new();
    for verdict in verdicts {
        languages.entry(&verdict.song.language).or_default().push(verdict);
    }
    for (language, verdicts) in &languages {
        row(language, verdicts);
    }
    let (held_out, seen): (Vec<_>, Vec<_>) = verdicts.iter().partition(|verdict| verdict.song.held_out);
    row("**all**", &verdicts.iter().collect::<Vec<_>>());
    row("of these, not held out", &seen);
    row("of these, held out", &held_out);
    for (outcome, heading) in [
        (Outcome::Wrong, "Another track than a person would take:"),
        (Outcome::Missed, "There, and not taken:"),
    ] {
        let mut such = verdicts
            .iter()
            .filter(|verdict| verdict.outcome == outcome)
            .peekable();
        if such.peek().is_some() {
            println!("\n{heading}\n");
        }
        such.for_each(|verdict| explain(verdict, catalog));
    }
}

fn row(name: &str, verdicts: &[&Verdict<'_>]) {
    let count = |outcome| {
        verdicts
            .iter()
            .filter(|verdict| verdict.outcome == outcome)
            .count()
    };
    let (right, wrong, missed) = (
        count(Outcome::Right),
        count(Outcome::Wrong),
        count(Outcome::Missed),
    );
    let there = verdicts
        .iter()
        .filter(|verdict| verdict.song.expected.is_some())
        .count();
    let never_shown = verdicts
        .iter()
        .filter(|verdict| verdict.outcome == Outcome::Missed && !verdict.shown)
        .count();
    let searches: usize = verdicts.iter().map(|verdict| verdict.searches).sum();
    println!(
        "| {name} | {} | {there} | {right} | {wrong} | {missed} | {never_shown} | {} | {} | {:.2} |",
        verdicts.len(),
        percent(right, right + wrong),
        percent(right, there),
        ratio(searches, verdicts.len()),
    );
}

fn explain(verdict: &Verdict<'_>, catalog: &Catalog) {
    let song = verdict.song;
    let named = |id: &str| {
        catalog.get(id).map_or_else(String::new, |track| {
            format!(
                "“{}” by {} ({})",
                track.title,
                track.artists.join(", "),
                track.album
            )
        })
    };
    let held_out = if song.held_out { ", held out" } else { "" };
    print!(
        "- “{}” by {} [{}, {}{held_out}]: ",
        song.title, song.artist, song.language, song.kind
    );
    match &verdict.nearest {
        None => print!("nothing was found"),
        Some((id, score, reason)) => print!("nearest {} at {score:.2}, {reason}", named(id)),
    }
    match song.expected.as_deref() {
        Some(expected) if verdict.nearest.as_ref().is_none_or(|(id, ..)| id != expected) => {
            println!("; right would be {}", named(expected));
        }
        Some(_) => println!("; it was the right one"),
        None => println!("; the catalogue does not have it"),
    }
}

fn percent(part: usize, whole: usize) -> String {
    if whole == 0 {
        return "–".to_owned();
    }
    format!("{:.1} %", 100.0 * ratio(part, whole))
}

#[expect(clippy::cast_precision_loss, reason = "nobody labels 2^52 songs")]
fn ratio(part: usize, whole: usize) -> f64 {
    part as f64 / whole.max(1) as f64
}
