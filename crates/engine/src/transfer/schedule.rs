//! The week: when uploads go at full speed, slower, or not at all.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use jiff::civil::{Date, Weekday};
use jiff::tz::TimeZone;
use jiff::{ToSpan as _, Zoned};

use crate::transfer::{Rate, Timestamp};

/// Minutes of a day.
const DAY: u16 = 24 * 60;
const WEEK: Duration = Duration::from_hours(7 * 24);
/// Rules of one schedule.
const MOST: usize = 100;

/// Rules for times of the week, by the clock on the wall. The first one that has something to say
/// decides. In words: one rule per line.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Schedule(Vec<Rule>);

/// What holds on some days from one time to another. In words: `mon-fri 09:00-18:00 5M`,
/// `sat,sun 22:00-06:00 full`, `daily 12:00-13:00 pause`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rule {
    days: Days,
    from: Minute,
    /// On the next day, if it is not after `from`: the rule's day is the one on which it begins.
    to: Minute,
    allowance: Allowance,
}

/// How fast uploads may go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Allowance {
    /// As fast as they can.
    Full,
    /// All together at this rate.
    Limit(Rate),
    /// Not at all.
    Pause,
}

/// Days of the week, Monday first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Days([bool; 7]);

/// A time of day; 24:00 is the end of the day.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Minute(u16);

/// Words that are no rule.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is no rule such as \"mon-fri 09:00-18:00 5M\"")]
pub struct NoRule(String);

impl Schedule {
    /// What holds at a time; `None` where no rule says anything.
    #[must_use]
    pub fn at(&self, now: Timestamp, zone: &TimeZone) -> Option<Allowance> {
        let now = local(now, zone)?;
        let minute = minute(&now);
        let yesterday = now.date().yesterday().ok();
        let holds = |rule: &&Rule| {
            let today = rule.days.has(now.date());
            if rule.from < rule.to {
                return today && rule.from <= minute && minute < rule.to;
            }
            let began = yesterday.is_some_and(|date| rule.days.has(date));
            (today && rule.from <= minute) || (began && minute < rule.to)
        };
        self.0.iter().find(holds).map(|rule| rule.allowance)
    }

    /// When something else may hold; `None` without rules.
    #[must_use]
    pub fn changes(&self, now: Timestamp, zone: &TimeZone) -> Option<Timestamp> {
        let today = local(now, zone)?.date();
        let mut next: Option<Timestamp> = None;
        for rule in &self.0 {
            for offset in -1..=8 {
                let Ok(date) = today.checked_add(offset.days()) else { continue };
                if !rule.days.has(date) {
                    continue;
                }
                let end = if rule.from < rule.to { Some(date) } else { date.tomorrow().ok() };
                let times = [rule.from.on(date, zone), end.and_then(|end| rule.to.on(end, zone))];
                for time in times.into_iter().flatten().filter(|time| *time > now) {
                    next = Some(next.map_or(time, |next| next.min(time)));
                }
            }
        }
        next
    }

    /// When something else holds than now; `None` where that is not within the week.
    #[must_use]
    pub fn ends(&self, now: Timestamp, zone: &TimeZone) -> Option<Timestamp> {
        let holds = self.at(now, zone);
        let mut next = self.changes(now, zone)?;
        while self.at(next, zone) == holds {
            next = self.changes(next, zone).filter(|next| *next <= now.after(WEEK))?;
        }
        Some(next)
    }

    /// Its rules.
    #[must_use]
    pub fn rules(&self) -> &[Rule] {
        &self.0
    }
}

fn local(now: Timestamp, zone: &TimeZone) -> Option<Zoned> {
    let now = jiff::Timestamp::from_millisecond(now.0).ok()?;
    Some(now.to_zoned(zone.clone()))
}

fn minute(now: &Zoned) -> Minute {
    Minute(u16::from(now.hour().unsigned_abs()) * 60 + u16::from(now.minute().unsigned_abs()))
}

impl Days {
    const NAMES: [&str; 7] = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];

    fn has(self, date: Date) -> bool {
        self.0[usize::from(Self::index(date.weekday()))]
    }

    fn index(day: Weekday) -> u8 {
        day.to_monday_zero_offset().unsigned_abs()
    }

    fn named(name: &str) -> Option<usize> {
        Self::NAMES.iter().position(|other| *other == name)
    }
}

impl Minute {
    /// This time of a day. One that the clocks leave out is as much later as they are put forward.
    fn on(self, date: Date, zone: &TimeZone) -> Option<Timestamp> {
        let (date, minute) =
            if self.0 == DAY { (date.tomorrow().ok()?, 0) } else { (date, self.0) };
        let time = date.at(i8::try_from(minute / 60).ok()?, i8::try_from(minute % 60).ok()?, 0, 0);
        let zoned = time.to_zoned(zone.clone()).ok()?;
        Some(Timestamp(zoned.timestamp().as_millisecond()))
    }
}

impl FromStr for Schedule {
    type Err = NoRule;

    fn from_str(text: &str) -> Result<Self, NoRule> {
        let rules: Vec<Rule> = text.lines().map(str::parse).collect::<Result<_, _>>()?;
        if rules.len() > MOST {
            Err(NoRule(format!("more than {MOST} rules")))
        } else {
            Ok(Self(rules))
        }
    }
}

impl fmt::Display for Schedule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (number, rule) in self.0.iter().enumerate() {
            write!(f, "{}{rule}", if number > 0 { "\n" } else { "" })?;
        }
        Ok(())
    }
}

impl FromStr for Rule {
    type Err = NoRule;

    fn from_str(text: &str) -> Result<Self, NoRule> {
        let parse = || {
            let mut words = text.split_whitespace();
            let (days, times, allowance) = (words.next()?, words.next()?, words.next()?);
            let (from, to) = times.split_once('-')?;
            let (from, to) = (from.parse().ok()?, to.parse().ok()?);
            let rule =
                Self { days: days.parse().ok()?, from, to, allowance: allowance.parse().ok()? };
            (words.next().is_none() && rule.from < Minute(DAY)).then_some(rule)
        };
        parse().ok_or_else(|| NoRule(text.to_owned()))
    }
}

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}-{} {}", self.days, self.from, self.to, self.allowance)
    }
}

impl FromStr for Days {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let mut days = [text == "daily"; 7];
        if text == "daily" {
            return Ok(Self(days));
        }
        for some in text.split(',') {
            let (first, last) = some.split_once('-').unwrap_or((some, some));
            let (mut day, last) = (Self::named(first).ok_or(())?, Self::named(last).ok_or(())?);
            // A stretch may go over the week's end.
            while day != last {
                days[day] = true;
                day = (day + 1) % 7;
            }
            days[last] = true;
        }
        Ok(Self(days))
    }
}

impl fmt::Display for Days {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0 == [true; 7] {
            return f.write_str("daily");
        }
        let names = Self::NAMES.iter().zip(self.0).filter_map(|(name, has)| has.then_some(*name));
        f.write_str(&names.collect::<Vec<_>>().join(","))
    }
}

impl FromStr for Minute {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let (hour, minute) = text.split_once(':').ok_or(())?;
        let number = |text: &str| {
            let digits = text.len() == 2 && text.bytes().all(|byte| byte.is_ascii_digit());
            if digits { text.parse::<u16>().map_err(|_| ()) } else { Err(()) }
        };
        let (hour, minute) = (number(hour)?, number(minute)?);
        let time = hour * 60 + minute;
        if minute < 60 && time <= DAY { Ok(Self(time)) } else { Err(()) }
    }
}

impl fmt::Display for Minute {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:02}:{:02}", self.0 / 60, self.0 % 60)
    }
}

impl FromStr for Allowance {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        match text {
            "full" => Ok(Self::Full),
            "pause" => Ok(Self::Pause),
            rate => rate.parse().map(Self::Limit).map_err(|_| ()),
        }
    }
}

impl fmt::Display for Allowance {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Full => f.write_str("full"),
            Self::Limit(rate) => rate.fmt(f),
            Self::Pause => f.write_str("pause"),
        }
    }
}

#[cfg(test)]
#[path = "schedule_tests.rs"]
mod tests;
