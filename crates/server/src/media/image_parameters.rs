//! What may be asked of an image, and the filters that make it so.
//!
//! Source: <https://www.mux.com/docs/api-reference/image>. Of a signed playback id the parameters are
//! claims of the token and those of the address are not looked at
//! (<https://www.mux.com/docs/guides/secure-video-playback>).

use std::collections::BTreeMap;
use std::str::FromStr;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::Uri;

/// Longest side of an image.
const LARGEST: u32 = 4096;
/// Longest side of a moving one, as at Mux.
const LARGEST_MOVING: u32 = 640;
/// Seconds of a moving image, as at Mux.
const LONGEST_MOVING: f64 = 10.0;
const USUAL_MOVING: f64 = 5.0;
const SHORTEST_MOVING: f64 = 0.25;

/// A parameter that makes no sense: its name, and what it must be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Senseless {
    pub(super) name: &'static str,
    pub(super) expected: &'static str,
}

/// Parameters as they were given.
pub(super) struct Given(BTreeMap<String, String>);

impl Given {
    /// Of a request: from the verified `token`, or without one from the address.
    pub(super) fn of(token: Option<&str>, uri: &Uri) -> Self {
        let Some(token) = token else {
            let pairs = url::form_urlencoded::parse(uri.query().unwrap_or_default().as_bytes());
            return Self(pairs.into_owned().collect());
        };
        let claims = token
            .split('.')
            .nth(1)
            .and_then(|payload| URL_SAFE_NO_PAD.decode(payload).ok())
            .and_then(|json| serde_json::from_slice::<serde_json::Map<_, _>>(&json).ok());
        let text = |value: serde_json::Value| match value {
            serde_json::Value::String(text) => text,
            other => other.to_string(),
        };
        let claims = claims.unwrap_or_default().into_iter();
        Self(claims.map(|(name, value)| (name, text(value))).collect())
    }

    fn get<T: FromStr>(
        &self,
        name: &'static str,
        expected: &'static str,
        allowed: impl Fn(&T) -> bool,
    ) -> Result<Option<T>, Senseless> {
        let Some(text) = self.0.get(name) else { return Ok(None) };
        match text.parse::<T>() {
            Ok(value) if allowed(&value) => Ok(Some(value)),
            _ => Err(Senseless { name, expected }),
        }
    }

    fn seconds(&self, name: &'static str) -> Result<Option<f64>, Senseless> {
        self.get(name, "a number of seconds", |time: &f64| time.is_finite() && *time >= 0.0)
    }
}

/// A still image.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Still {
    /// Seconds; `None` where any frame will do.
    pub(super) time: Option<f64>,
    pub(super) width: Option<u32>,
    pub(super) height: Option<u32>,
    fit: Fit,
    rotate: u32,
    flip_v: bool,
    flip_h: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fit {
    Preserve,
    Stretch,
    Crop,
    Pad,
}

impl FromStr for Fit {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        match text {
            "preserve" => Ok(Self::Preserve),
            "stretch" => Ok(Self::Stretch),
            // What is worth looking at is taken to be in the middle.
            "crop" | "smartcrop" => Ok(Self::Crop),
            "pad" => Ok(Self::Pad),
            _ => Err(()),
        }
    }
}

/// Square pixels, as nobody expects others in an image.
const SQUARE: &str = "scale=trunc(iw*sar/2)*2:ih,setsar=1";

impl Still {
    pub(super) fn read(given: &Given) -> Result<Self, Senseless> {
        let side = |name| {
            given
                .get(name, "a number of pixels from 1 to 4096", |side| (1..=LARGEST).contains(side))
        };
        let flip = |name| given.get(name, "true or false", |_: &bool| true);
        Ok(Self {
            time: given.seconds("time")?,
            width: side("width")?,
            height: side("height")?,
            fit: given
                .get("fit_mode", "preserve, stretch, crop, smartcrop or pad", |_| true)?
                .unwrap_or(Fit::Preserve),
            rotate: given
                .get("rotate", "0, 90, 180 or 270", |turn| matches!(turn, 0 | 90 | 180 | 270))?
                .unwrap_or(0),
            flip_v: flip("flip_v")?.unwrap_or(false),
            flip_h: flip("flip_h")?.unwrap_or(false),
        })
    }

    /// Whether nothing was asked for, so that the poster will do.
    pub(super) fn is_any(&self) -> bool {
        let Self { time, width, height, fit: _, rotate, flip_v, flip_h } = self;
        time.is_none() && width.is_none() && height.is_none() && *rotate == 0 && !flip_v && !flip_h
    }

    /// The filter that takes the frame at `offset` seconds.
    pub(super) fn filter(&self, offset: f64) -> String {
        let turned = match self.rotate {
            90 => ",transpose=clock",
            180 => ",hflip,vflip",
            270 => ",transpose=cclock",
            _ => "",
        };
        let fitted = match (self.width, self.height, self.fit) {
            (None, None, _) => String::new(),
            (Some(width), None, _) => format!(",scale={width}:-1"),
            (None, Some(height), _) => format!(",scale=-1:{height}"),
            (Some(width), Some(height), fit) => {
                let scale = format!(",scale={width}:{height}");
                match fit {
                    Fit::Stretch => scale,
                    Fit::Preserve => format!("{scale}:force_original_aspect_ratio=decrease"),
                    Fit::Crop => format!(
                        "{scale}:force_original_aspect_ratio=increase,crop={width}:{height}"
                    ),
                    Fit::Pad => format!(
                        "{scale}:force_original_aspect_ratio=decrease,\
                         pad={width}:{height}:(ow-iw)/2:(oh-ih)/2"
                    ),
                }
            }
        };
        let flipped = match (self.flip_h, self.flip_v) {
            (false, false) => "",
            (true, false) => ",hflip",
            (false, true) => ",vflip",
            (true, true) => ",hflip,vflip",
        };
        format!("trim=start={offset:.3},{SQUARE}{turned}{fitted}{flipped},setsar=1")
    }
}

/// A moving image.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Moving {
    /// Seconds.
    pub(super) start: f64,
    /// Seconds.
    pub(super) end: f64,
    pub(super) width: Option<u32>,
    pub(super) height: Option<u32>,
    frames: u32,
}

impl Moving {
    pub(super) fn read(given: &Given) -> Result<Self, Senseless> {
        let side = |name| {
            given.get(name, "a number of pixels from 1 to 640", |side| {
                (1..=LARGEST_MOVING).contains(side)
            })
        };
        let start = given.seconds("start")?.unwrap_or(0.0);
        let end = given.seconds("end")?.unwrap_or(start + USUAL_MOVING);
        if !(SHORTEST_MOVING..=LONGEST_MOVING).contains(&(end - start)) {
            return Err(Senseless { name: "end", expected: "0.25 to 10 seconds after start" });
        }
        let frames =
            given.get("fps", "a number from 1 to 30", |frames| (1..=30).contains(frames))?;
        Ok(Self {
            start,
            end,
            width: side("width")?,
            height: side("height")?,
            frames: frames.unwrap_or(15),
        })
    }

    /// The filter, where the first segment starts at `origin` seconds.
    pub(super) fn filter(&self, origin: f64, palette: bool) -> String {
        let size = match (self.width, self.height) {
            (Some(width), Some(height)) => format!("{width}:{height}"),
            (None, Some(height)) => format!("-2:{height}"),
            (width, None) => format!("{}:-2", width.unwrap_or(LARGEST_MOVING)),
        };
        let (start, end) = ((self.start - origin).max(0.0), self.end - origin);
        let taken = format!(
            "trim=start={start:.3}:end={end:.3},setpts=PTS-STARTPTS,fps={},{SQUARE},scale={size},\
             setsar=1",
            self.frames
        );
        if palette {
            format!("{taken},split[a][b];[a]palettegen[p];[b][p]paletteuse=dither=bayer")
        } else {
            taken
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn given(query: &str) -> Given {
        Given::of(None, &format!("/id/thumbnail.jpg?{query}").parse().expect("an address"))
    }

    #[test]
    fn a_parameter_that_makes_no_sense_is_named() {
        for (query, name) in [
            ("time=-1", "time"),
            ("time=NaN", "time"),
            ("time=soon", "time"),
            ("width=0", "width"),
            ("height=99999", "height"),
            ("fit_mode=magic", "fit_mode"),
            ("rotate=45", "rotate"),
            ("flip_h=1", "flip_h"),
        ] {
            assert_eq!(Still::read(&given(query)).expect_err(query).name, name);
        }
        for (query, name) in
            [("start=3&end=1", "end"), ("end=11", "end"), ("fps=31", "fps"), ("width=641", "width")]
        {
            assert_eq!(Moving::read(&given(query)).expect_err(query).name, name);
        }
    }

    #[test]
    fn claims_of_a_token_are_parameters_and_the_address_is_not() {
        let payload = URL_SAFE_NO_PAD.encode(r#"{"sub":"id","aud":"t","time":1.5,"width":"320"}"#);
        let uri = "/id/thumbnail.jpg?token=x&time=9&height=5".parse().expect("an address");
        let still = Still::read(&Given::of(Some(&format!("h.{payload}.s")), &uri)).expect("sense");
        assert_eq!((still.time, still.width, still.height), (Some(1.5), Some(320), None));
        assert!(Still::read(&given("token=x&unknown=1")).expect("sense").is_any());
    }
}
