//! The storyboard: one image of many small frames, and what tells players where each one is.
//!
//! Source: <https://www.mux.com/docs/guides/create-timeline-hover-previews>.

use std::fmt::Write;

use serde_json::{Value, json};

/// Height of a tile, pixels.
const HEIGHT: u32 = 160;
/// Seconds above which there are more tiles.
const LONG: f64 = 15.0 * 60.0;

/// How the tiles of a video are laid out.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Layout {
    duration: f64,
    tiles: u32,
    columns: u32,
    width: u32,
}

impl Layout {
    /// Of a video of `duration` seconds and the shape `16:9`. At most one tile a second, and at most
    /// 50, or 100 of a long one.
    pub(super) fn of(duration: f64, shape: Option<&str>) -> Self {
        let (most, columns) = if duration < LONG { (50, 5) } else { (100, 10) };
        let shape = shape
            .and_then(|shape| shape.split_once(':'))
            .and_then(|(across, down)| {
                Some(across.parse::<f64>().ok()? / down.parse::<f64>().ok()?)
            })
            .filter(|shape| shape.is_finite())
            .unwrap_or(16.0 / 9.0)
            .clamp(0.25, 4.0);
        let tiles = (duration.ceil() as u32).clamp(1, most);
        Self {
            duration,
            tiles,
            columns: columns.min(tiles),
            width: (f64::from(HEIGHT) * shape / 2.0).round() as u32 * 2,
        }
    }

    /// Pixels of a tile.
    pub(super) fn tile(&self) -> (u32, u32) {
        (self.width, HEIGHT)
    }

    /// Seconds from one tile to the next.
    pub(super) fn interval(&self) -> f64 {
        self.duration / f64::from(self.tiles)
    }

    /// Seconds at which the tiles are taken, and where they stand, pixels.
    pub(super) fn tiles(&self) -> impl Iterator<Item = (f64, u32, u32)> + '_ {
        (0..self.tiles).map(|index| {
            let (column, row) = (index % self.columns, index / self.columns);
            (f64::from(index) * self.interval(), column * self.width, row * HEIGHT)
        })
    }

    /// The filter that makes the image.
    pub(super) fn filter(&self) -> String {
        let rows = self.tiles.div_ceil(self.columns);
        format!(
            "fps=fps={}/{:.6}:start_time=0,scale={}:{HEIGHT},setsar=1,tile={}x{rows}",
            self.tiles, self.duration, self.width, self.columns
        )
    }

    /// WebVTT whose cues are addresses of parts of `image`.
    pub(super) fn vtt(&self, image: &str) -> String {
        let mut text = "WEBVTT\n".to_owned();
        for (start, x, y) in self.tiles() {
            let (from, to) = (clock(start), clock(start + self.interval()));
            // Writing to a string cannot fail.
            let _ =
                write!(text, "\n{from} --> {to}\n{image}#xywh={x},{y},{},{HEIGHT}\n", self.width);
        }
        text
    }

    /// The same as JSON.
    pub(super) fn json(&self, image: &str) -> Value {
        let tiles: Vec<_> =
            self.tiles().map(|(start, x, y)| json!({"start": start, "x": x, "y": y})).collect();
        json!({"url": image, "tile_width": self.width, "tile_height": HEIGHT,
            "duration": self.duration, "tiles": tiles})
    }
}

/// `00:01:02.500`.
fn clock(seconds: f64) -> String {
    let milliseconds = (seconds * 1000.0).round() as u64;
    let (seconds, rest) = (milliseconds / 1000, milliseconds % 1000);
    format!("{:02}:{:02}:{:02}.{rest:03}", seconds / 3600, seconds / 60 % 60, seconds % 60)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tiles_cover_the_video() {
        for (duration, tiles, columns) in
            [(0.04, 1, 1), (2.5, 3, 3), (49.5, 50, 5), (899.0, 50, 5), (3600.0, 100, 10)]
        {
            let layout = Layout::of(duration, Some("16:9"));
            assert_eq!((layout.tiles, layout.columns), (tiles, columns), "{duration}");
            let last = layout.tiles().last().expect("a tile").0;
            assert!((last + layout.interval() - duration).abs() < 1e-6, "{duration}");
        }
        assert_eq!(Layout::of(1.0, Some("16:9")).tile(), (284, 160));
        assert_eq!(Layout::of(1.0, Some("9:16")).tile(), (90, 160));
        assert_eq!(Layout::of(1.0, Some("0:0")).tile(), (284, 160));
    }

    #[test]
    fn cues_are_times_and_places() {
        let layout = Layout::of(3725.0, Some("1:1"));
        let text = layout.vtt("storyboard.jpg?token=a.b.c");
        assert!(text.starts_with(
            "WEBVTT\n\n00:00:00.000 --> 00:00:37.250\nstoryboard.jpg?token=a.b.c#xywh=0,0,160,160\n"
        ));
        assert!(text.ends_with(
            "\n01:01:27.750 --> 01:02:05.000\nstoryboard.jpg?token=a.b.c#xywh=1440,1440,160,160\n"
        ));
        assert_eq!(layout.json("u")["tiles"][11]["x"], 160);
    }
}
