//! The words outside the window, in the languages that the page has.

use std::borrow::Cow;

use crate::settings::Language;

/// A language that there are words in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Words {
    English,
    German,
}

impl Words {
    /// Those that somebody prefers.
    #[must_use]
    pub(crate) fn of(language: Language) -> Self {
        match language {
            Language::En => Self::English,
            Language::De => Self::German,
            Language::System => Self::first_of(sys_locale::get_locales()),
        }
    }

    /// The first language of the system's that there are words for, as the page chooses it.
    fn first_of(locales: impl IntoIterator<Item = String>) -> Self {
        let known = |locale: String| match locale.split(['-', '_']).next() {
            Some("en") => Some(Self::English),
            Some("de") => Some(Self::German),
            _ => None,
        };
        locales.into_iter().find_map(known).unwrap_or(Self::English)
    }

    fn either<T>(self, english: T, german: T) -> T {
        match self {
            Self::English => english,
            Self::German => german,
        }
    }

    // The tray

    pub(crate) fn open(self) -> &'static str {
        self.either("Open Dailies", "Dailies öffnen")
    }

    pub(crate) fn pause_all(self) -> &'static str {
        self.either("Pause all", "Alle anhalten")
    }

    pub(crate) fn resume_all(self) -> &'static str {
        self.either("Resume all", "Alle fortsetzen")
    }

    pub(crate) fn recent(self) -> &'static str {
        self.either("Recent", "Zuletzt")
    }

    pub(crate) fn none_recent(self) -> &'static str {
        self.either("Nothing yet", "Noch nichts")
    }

    pub(crate) fn quit(self) -> &'static str {
        self.either("Quit Dailies", "Dailies beenden")
    }

    pub(crate) fn idle(self) -> &'static str {
        self.either("Nothing to do", "Nichts zu tun")
    }

    pub(crate) fn paused(self, count: u64) -> String {
        match self {
            Self::English => format!("{count} paused"),
            Self::German => format!("{count} angehalten"),
        }
    }

    pub(crate) fn sending(self, count: u64, percent: u8) -> String {
        match self {
            Self::English => format!("{percent}% of {} sent", videos_in_english(count)),
            Self::German => format!("{percent} % von {} gesendet", videos_in_german(count)),
        }
    }

    // Notifications

    pub(crate) fn goes_on(self) -> (&'static str, &'static str) {
        self.either(
            (
                "Dailies goes on uploading",
                "The window is closed, uploads are not. Open or quit Dailies by its icon in the \
                 tray, or start it again to see the window.",
            ),
            (
                "Dailies lädt weiter hoch",
                "Das Fenster ist geschlossen, die Uploads laufen weiter. Über das Symbol in der \
                 Leiste wird Dailies geöffnet oder beendet; ein neuer Start zeigt das Fenster.",
            ),
        )
    }

    pub(crate) fn ready(self, count: u64, title: &str) -> (String, &'static str) {
        let title = isolated(title);
        let said = match (self, count) {
            (Self::English, 1) => format!("“{title}” is ready"),
            (Self::English, _) => format!("{count} videos are ready"),
            (Self::German, 1) => format!("„{title}“ ist fertig"),
            (Self::German, _) => format!("{count} Videos sind fertig"),
        };
        (said, self.either("Your team can watch now.", "Ihr Team kann jetzt zuschauen."))
    }

    pub(crate) fn needs(self, count: u64, title: &str) -> (String, &'static str) {
        let title = isolated(title);
        let said = match (self, count) {
            (Self::English, 1) => format!("“{title}” needs you"),
            (Self::English, _) => format!("{count} uploads need you"),
            (Self::German, 1) => format!("„{title}“ braucht Ihre Hilfe"),
            (Self::German, _) => format!("{count} Uploads brauchen Ihre Hilfe"),
        };
        (said, self.either("Open Dailies to see what to do.", "Dailies sagt, was zu tun ist."))
    }

    pub(crate) fn sent(self, count: u64) -> (&'static str, String) {
        match self {
            Self::English => {
                ("Everything is with your team", format!("{} sent.", videos_in_english(count)))
            }
            Self::German => {
                ("Alles ist bei Ihrem Team", format!("{} gesendet.", videos_in_german(count)))
            }
        }
    }

    // Dialogs

    pub(crate) fn watch_a_folder(self) -> &'static str {
        self.either("Watch a folder", "Einen Ordner überwachen")
    }

    pub(crate) fn all_files(self) -> &'static str {
        self.either("All files", "Alle Dateien")
    }

    pub(crate) fn cannot_start(self) -> &'static str {
        self.either("Dailies cannot start", "Dailies kann nicht starten")
    }

    pub(crate) fn in_use(self) -> &'static str {
        self.either(
            "Another Dailies works on your uploads already, in another session of this computer. \
             Quit it there, then start this one again.",
            "Ein anderes Dailies arbeitet schon an Ihren Uploads, in einer anderen Sitzung dieses \
             Computers. Beenden Sie es dort und starten Sie dieses neu.",
        )
    }

    pub(crate) fn too_new(self) -> &'static str {
        self.either(
            "Your uploads were last worked on by a newer version of Dailies. Install that one.",
            "An Ihren Uploads hat zuletzt eine neuere Version von Dailies gearbeitet. \
             Installieren Sie diese.",
        )
    }

    pub(crate) fn cannot_be_worked_on(self, why: &str) -> String {
        match self {
            Self::English => format!("Your uploads cannot be worked on: {why}."),
            Self::German => format!("An Ihren Uploads kann nicht gearbeitet werden: {why}."),
        }
    }
}

/// A name in letters from right to left turns nothing around it: as the page's `words.ts` does it.
pub(crate) fn isolated(name: &str) -> Cow<'_, str> {
    let turns = |letter| {
        matches!(letter, '\u{590}'..='\u{8ff}' | '\u{200f}' | '\u{202a}'..='\u{202e}')
            || matches!(letter, '\u{2066}'..='\u{2069}' | '\u{fb1d}'..='\u{fdff}' | '\u{fe70}'..='\u{feff}')
    };
    if name.contains(turns) { format!("\u{2068}{name}\u{2069}").into() } else { name.into() }
}

fn videos_in_english(count: u64) -> String {
    if count == 1 { "1 video".into() } else { format!("{count} videos") }
}

fn videos_in_german(count: u64) -> String {
    if count == 1 { "1 Video".into() } else { format!("{count} Videos") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_systems_languages_are_followed_in_their_order() {
        let first = |locales: &[&str]| Words::first_of(locales.iter().map(ToString::to_string));
        assert_eq!(first(&["fr-FR", "de_AT", "en"]), Words::German);
        assert_eq!(first(&["en-GB", "de"]), Words::English);
        assert_eq!(first(&["pt-BR"]), Words::English);
        assert_eq!(first(&[]), Words::English);
    }

    #[test]
    fn one_is_not_many() {
        assert_eq!(Words::English.ready(1, "reel-04").0, "“reel-04” is ready");
        assert_eq!(Words::English.needs(1, "ملف").0, "“\u{2068}ملف\u{2069}” needs you");
        assert_eq!(Words::German.ready(3, "reel-04").0, "3 Videos sind fertig");
        assert_eq!(Words::English.sent(1).1, "1 video sent.");
    }
}
