use proptest::prelude::*;

use super::*;

/// Central Europe's: an hour forward on 29 March 2026 at 02:00, back on 25 October at 03:00.
fn zone() -> TimeZone {
    TimeZone::posix("CET-1CEST,M3.5.0,M10.5.0/3").unwrap()
}

/// A time in UTC.
fn utc(text: &str) -> Timestamp {
    Timestamp(text.parse::<jiff::Timestamp>().unwrap().as_millisecond())
}

fn schedule(rules: &[&str]) -> Schedule {
    rules.join("\n").parse().unwrap()
}

fn limit(bytes: u64) -> Option<Allowance> {
    Rate::new(bytes).map(Allowance::Limit)
}

#[test]
fn the_first_rule_that_holds_decides() {
    let week =
        schedule(&["mon-fri 12:00-13:00 full", "mon-fri 09:00-18:00 5M", "sun 00:00-24:00 pause"]);
    let at = |time| week.at(utc(time), &zone());
    // 2026-06-15 is a Monday; the clocks on the wall are two hours ahead of UTC.
    assert_eq!(at("2026-06-15T06:59:59Z"), None);
    assert_eq!(at("2026-06-15T07:00:00Z"), limit(5_000_000));
    assert_eq!(at("2026-06-15T10:30:00Z"), Some(Allowance::Full));
    assert_eq!(at("2026-06-15T16:00:00Z"), None);
    assert_eq!(at("2026-06-20T10:30:00Z"), None);
    assert_eq!(at("2026-06-21T10:30:00Z"), Some(Allowance::Pause));
    assert_eq!(at("2026-06-21T22:00:00Z"), None, "Monday has begun on the wall");
}

#[test]
fn a_night_belongs_to_the_day_on_which_it_begins() {
    let nights = schedule(&["fri 22:00-06:00 full"]);
    let at = |time| nights.at(utc(time), &zone());
    assert_eq!(at("2026-06-19T20:00:00Z"), Some(Allowance::Full));
    assert_eq!(at("2026-06-20T03:59:00Z"), Some(Allowance::Full), "Saturday at six it ends");
    assert_eq!(at("2026-06-20T04:00:00Z"), None);
    assert_eq!(at("2026-06-20T20:00:00Z"), None);
}

#[test]
fn the_clock_on_the_wall_counts_also_when_it_is_put_forward_or_back() {
    let morning = schedule(&["daily 02:30-09:00 pause"]);
    let at = |time| morning.at(utc(time), &zone());
    // Winter: 09:00 is 08:00 in UTC. Summer: 07:00.
    assert_eq!(at("2026-03-28T07:59:00Z"), Some(Allowance::Pause));
    assert_eq!(at("2026-03-29T06:59:00Z"), Some(Allowance::Pause));
    assert_eq!(at("2026-03-29T07:00:00Z"), None);
    // 02:30 does not come on this day: it begins when the wall says 03:00, and is looked at then or
    // half an hour later.
    assert_eq!(at("2026-03-29T00:59:00Z"), None);
    assert_eq!(at("2026-03-29T01:00:00Z"), Some(Allowance::Pause));
    let changes = |time| morning.changes(utc(time), &zone());
    assert_eq!(changes("2026-03-29T01:10:00Z"), Some(utc("2026-03-29T01:30:00Z")));
    assert_eq!(changes("2026-03-29T01:30:00Z"), Some(utc("2026-03-29T07:00:00Z")));
    // 02:30 comes twice.
    assert_eq!(at("2026-10-25T00:30:00Z"), Some(Allowance::Pause));
    assert_eq!(at("2026-10-25T01:10:00Z"), None, "it is 02:10 once more");
    assert_eq!(at("2026-10-25T01:30:00Z"), Some(Allowance::Pause));
}

#[test]
fn what_makes_no_sense_is_no_rule() {
    for text in [
        "",
        "mon",
        "mon 09:00 5M",
        "mon 09:00-18:00",
        "mon 9:00-18:00 5M",
        "mon 09:00-24:01 5M",
        "mon 24:00-09:00 5M",
        "mon 09:60-18:00 5M",
        "someday 09:00-18:00 5M",
        "mon- 09:00-18:00 5M",
        "mon 09:00-18:00 5M extra",
        "mon 09:00-18:00 0",
        "mon +9:00-18:00 5M",
    ] {
        assert!(text.parse::<Rule>().is_err(), "{text}");
    }
    assert_eq!("".parse(), Ok(Schedule::default()));
}

#[test]
fn a_pause_ends_when_something_else_holds_and_not_at_every_change() {
    let schedule = "fri 18:00-24:00 pause\nsat 00:00-12:00 pause\ndaily 00:00-24:00 5M";
    let schedule: Schedule = schedule.parse().unwrap();
    let friday = utc("2026-11-20T19:00:00Z");
    assert_eq!(schedule.ends(friday, &zone()), Some(utc("2026-11-21T11:00:00Z")));
    let forever: Schedule = "daily 00:00-24:00 pause".parse().unwrap();
    assert_eq!(forever.ends(friday, &zone()), None);
    assert_eq!(Schedule::default().ends(friday, &zone()), None);
}

#[test]
fn a_stretch_of_days_may_go_over_the_weeks_end() {
    let rule: Rule = "sat-mon 00:00-24:00 1G".parse().unwrap();
    assert_eq!(rule.to_string(), "mon,sat,sun 00:00-24:00 1G");
}

fn any_rule() -> impl Strategy<Value = Rule> {
    let allowance = prop_oneof![
        Just(Allowance::Full),
        Just(Allowance::Pause),
        (1_u64..).prop_map(|bytes| Allowance::Limit(Rate::new(bytes).unwrap())),
    ];
    let days = any::<[bool; 7]>().prop_filter("some day", |days| days.contains(&true));
    (days, 0..DAY, 0..=DAY, allowance).prop_map(|(days, from, to, allowance)| Rule {
        days: Days(days),
        from: Minute(from),
        to: Minute(to),
        allowance,
    })
}

proptest! {
    #[test]
    fn what_is_written_is_read(rules in proptest::collection::vec(any_rule(), 0..5)) {
        let schedule = Schedule(rules);
        prop_assert_eq!(schedule.to_string().parse(), Ok(schedule));
    }

    /// But on the two days a year on which the wall's clock jumps, which have tests of their own.
    #[test]
    fn between_two_changes_nothing_changes(
        rules in proptest::collection::vec(any_rule(), 1..4),
        start in 1_781_000_000_000_i64..1_790_000_000_000,
        part in 0.0_f64..1.0,
    ) {
        let schedule = Schedule(rules);
        let now = Timestamp(start);
        let next = schedule.changes(now, &zone()).unwrap();
        prop_assert!(next > now && next.0 - now.0 <= 8 * 86_400_000);
        #[expect(clippy::cast_possible_truncation, clippy::cast_precision_loss, reason = "some time between")]
        let between = Timestamp(now.0 + ((next.0 - now.0 - 1) as f64 * part) as i64);
        prop_assert_eq!(schedule.at(now, &zone()), schedule.at(between, &zone()));
    }
}
