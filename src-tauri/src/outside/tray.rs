//! The icon in the tray: the app's face while its window is closed.

use dailies_engine::EngineHandle;
use tauri::image::Image;
use tauri::menu::{Menu, MenuItem, PredefinedMenuItem, Submenu};
use tauri::tray::{MouseButton, MouseButtonState, TrayIcon, TrayIconBuilder, TrayIconEvent};
use tauri::{AppHandle, Manager as _, Wry};

use super::recent::Recent;
use super::{Outlook, Progress};
use crate::opening::{self, Opening};
use crate::tasks::Tasks;
use crate::window;
use crate::words::{Words, isolated};

const ICON: &str = "dailies";
const OPEN: &str = "open";
const STATUS: &str = "status";
const PAUSE_ALL: &str = "pause_all";
const RESUME_ALL: &str = "resume_all";
const RECENT: &str = "recent";
const QUIT: &str = "quit";
/// Before the id of a recent upload.
const UPLOAD: &str = "upload:";
/// The icon is drawn anew in steps of so many percent.
const STEP: u8 = 5;
/// Letters of a title in the menu.
const LETTERS: usize = 40;

/// What of it changes.
pub(super) struct Tray {
    icon: TrayIcon,
    words: Words,
    status: MenuItem<Wry>,
    pause: MenuItem<Wry>,
    resume: MenuItem<Wry>,
    recent: Submenu<Wry>,
    /// As it was shown last.
    named: Option<Vec<Recent>>,
    /// The share that was drawn last.
    drawn: Option<u8>,
}

impl Tray {
    /// Puts it there; `None` where the system has no tray.
    pub(super) fn put(app: &AppHandle, words: Words) -> Option<Self> {
        let put = Self::build(app, words);
        put.inspect_err(|error| tracing::warn!(%error, "there is no tray here")).ok()
    }

    /// In other words.
    pub(super) fn speak(self, app: &AppHandle, words: Words) -> Option<Self> {
        drop(app.remove_tray_by_id(ICON));
        drop(self);
        Self::put(app, words)
    }

    fn build(app: &AppHandle, words: Words) -> tauri::Result<Self> {
        let item = |id: &str, text: &str| MenuItem::with_id(app, id, text, true, None::<&str>);
        let status = MenuItem::with_id(app, STATUS, words.idle(), false, None::<&str>)?;
        let pause = item(PAUSE_ALL, words.pause_all())?;
        let resume = item(RESUME_ALL, words.resume_all())?;
        let recent = Submenu::with_id(app, RECENT, words.recent(), true)?;
        let menu = Menu::with_items(
            app,
            &[
                &item(OPEN, words.open())?,
                &status,
                &PredefinedMenuItem::separator(app)?,
                &pause,
                &resume,
                &recent,
                &PredefinedMenuItem::separator(app)?,
                &item(QUIT, words.quit())?,
            ],
        )?;
        let mut tray = TrayIconBuilder::with_id(ICON)
            .menu(&menu)
            .show_menu_on_left_click(false)
            .tooltip("Dailies")
            .on_menu_event(|app, event| on_menu(app, event.id().as_ref()))
            .on_tray_icon_event(|tray, event| on_click(tray, &event));
        if let Some(icon) = app.default_window_icon() {
            tray = tray.icon(icon.clone());
        }
        let icon = tray.build(app)?;
        Ok(Self { icon, words, status, pause, resume, recent, named: None, drawn: None })
    }

    /// Shows how it stands.
    pub(super) fn show(&mut self, app: &AppHandle, outlook: &Outlook) {
        let words = self.words;
        let (said, share) = match outlook.progress {
            Progress::None => (words.idle().to_owned(), None),
            Progress::Sending { videos, percent } => {
                (words.sending(videos, percent), Some(percent))
            }
            Progress::Paused { videos } => (words.paused(videos), None),
        };
        let shown = self.show_words(outlook.progress, &said).and_then(|()| {
            self.name(app, &outlook.recent)?;
            self.draw(app, share.map(|percent| percent / STEP * STEP))
        });
        if let Err(error) = shown {
            tracing::warn!(%error, "the tray does not show how it stands");
        }
    }

    fn show_words(&self, progress: Progress, said: &str) -> tauri::Result<()> {
        self.status.set_text(said)?;
        self.icon.set_tooltip(Some(format!("Dailies: {said}")))?;
        self.pause.set_enabled(matches!(progress, Progress::Sending { .. }))?;
        self.resume.set_enabled(matches!(progress, Progress::Paused { .. }))
    }

    fn name(&mut self, app: &AppHandle, recent: &[Recent]) -> tauri::Result<()> {
        if self.named.as_deref() == Some(recent) {
            return Ok(());
        }
        while self.recent.remove_at(0)?.is_some() {}
        for Recent { id, title, .. } in recent {
            let (id, title) = (format!("{UPLOAD}{id}"), in_a_menu(title));
            self.recent.append(&MenuItem::with_id(app, id, title, true, None::<&str>)?)?;
        }
        if recent.is_empty() {
            let none = self.words.none_recent();
            self.recent.append(&MenuItem::new(app, none, false, None::<&str>)?)?;
        }
        self.named = Some(recent.to_vec());
        Ok(())
    }

    fn draw(&mut self, app: &AppHandle, share: Option<u8>) -> tauri::Result<()> {
        if self.drawn == share {
            return Ok(());
        }
        let Some(icon) = app.default_window_icon() else { return Ok(()) };
        let image = match share {
            None => icon.clone(),
            Some(share) => {
                let rgba = with_bar(icon.rgba(), icon.width(), icon.height(), share);
                Image::new_owned(rgba, icon.width(), icon.height())
            }
        };
        self.icon.set_icon(Some(image))?;
        self.drawn = share;
        Ok(())
    }
}

/// The icon's pixels with a bar over the lowest quarter, of which `percent` are filled.
fn with_bar(rgba: &[u8], width: u32, height: u32, percent: u8) -> Vec<u8> {
    const TRACK: [u8; 4] = [0x19, 0x1b, 0x1f, 0xff];
    const FILLED: [u8; 4] = [0x5f, 0xc5, 0x94, 0xff];
    let mut drawn = rgba.to_vec();
    let (width, height) = (width as usize, height as usize);
    let (top, filled) = (height - height / 4, width * usize::from(percent.min(100)) / 100);
    let rows = drawn.chunks_exact_mut(width.max(1) * 4).take(height).skip(top);
    for row in rows {
        for (x, pixel) in row.chunks_exact_mut(4).enumerate() {
            pixel.copy_from_slice(if x < filled { &FILLED } else { &TRACK });
        }
    }
    drawn
}

/// As menus show it: an ampersand would name a key.
fn in_a_menu(title: &str) -> String {
    let mut short: String = title.chars().take(LETTERS).collect();
    if short.len() < title.len() {
        short.push('…');
    }
    isolated(&short.replace('&', "&&")).into_owned()
}

fn on_menu(app: &AppHandle, item: &str) {
    match item {
        OPEN => window::show(app),
        QUIT => crate::quit(app),
        PAUSE_ALL | RESUME_ALL => {
            let (engine, pause) = (app.state::<EngineHandle>().inner().clone(), item == PAUSE_ALL);
            app.state::<Tasks>().spawn(async move {
                let done = if pause { engine.pause_all().await } else { engine.resume_all().await };
                if let Err(error) = done {
                    tracing::warn!(%error, "the uploads could not be steered from the tray");
                }
            });
        }
        other => {
            if let Some(Ok(id)) = other.strip_prefix(UPLOAD).map(str::parse) {
                opening::open(app, Opening::Upload { id });
            }
        }
    }
}

fn on_click(tray: &TrayIcon, event: &TrayIconEvent) {
    if let TrayIconEvent::Click {
        button: MouseButton::Left,
        button_state: MouseButtonState::Up,
        ..
    } = event
    {
        window::show(tray.app_handle());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bar_is_as_long_as_the_share() {
        let icon = vec![7; 8 * 8 * 4];
        let drawn = with_bar(&icon, 8, 8, 50);
        assert_eq!(drawn.len(), icon.len());
        assert_eq!(drawn[..6 * 8 * 4], icon[..6 * 8 * 4], "above it the icon is as it was");
        let row = &drawn[7 * 8 * 4..];
        assert_eq!(row[..4 * 4].chunks(4).filter(|pixel| pixel[1] == 0xc5).count(), 4);
        assert_eq!(row[4 * 4..].chunks(4).filter(|pixel| pixel[1] == 0x1b).count(), 4);
        assert_eq!(with_bar(&icon, 8, 8, 200).len(), icon.len());
    }

    #[test]
    fn a_title_names_no_key() {
        assert_eq!(in_a_menu("cut & grade"), "cut && grade");
        assert_eq!(in_a_menu("ملف"), "\u{2068}ملف\u{2069}");
        assert_eq!(in_a_menu(&"ä".repeat(50)).chars().count(), LETTERS + 1);
    }
}
