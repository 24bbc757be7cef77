//! The corpus: what cameras, phones, editors and screen recorders write, and what only looks like it.
//! Each ends ready and plays to its end in every rendition, or errored for a reason that says so.

use std::path::{Path, PathBuf};
use std::process::Command;

use dailies_api::mux::AssetStatus;
use serde_json::Value;

use super::stand::Stand;

/// 25 frames, 320×180.
const V: &str = "-f lavfi -i testsrc2=size=320x180:rate=25:duration=1";
/// One second of mono.
const A: &str = "-f lavfi -i sine=duration=1";
const X264: &str = "-c:v libx264 -preset ultrafast -pix_fmt yuv420p";
const X265: &str = "-c:v libx265 -preset ultrafast -x265-params log-level=none";

struct Plays {
    file: &'static str,
    options: String,
    size: (u64, u64),
    seconds: f64,
    sound: bool,
}

fn plays(file: &'static str, options: impl Into<String>, sound: bool) -> Plays {
    Plays { file, options: options.into(), size: (320, 180), seconds: 1.0, sound }
}

/// The clip `file`, made once for all tests.
fn clip(file: &str, options: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("corpus");
    std::fs::create_dir_all(&folder).unwrap();
    let path = folder.join(file);
    if !path.exists() {
        let made = folder.join(format!("{}-{file}", std::process::id()));
        let output = Command::new("ffmpeg")
            .args(["-nostdin", "-loglevel", "error", "-y"])
            .args(options.split_ascii_whitespace())
            .arg(&made)
            .output()
            .unwrap();
        let complaint = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{file}: {complaint}");
        std::fs::rename(made, &path).unwrap();
    }
    path
}

/// Makes an asset of each, and plays it.
async fn all_play(cases: Vec<Plays>) {
    let stand = Stand::start().await;
    for Plays { file, options, size, seconds, sound } in cases {
        let asset = stand.create(&clip(file, &options)).await;
        let asset = stand.completed(&asset.id).await;
        assert_eq!(asset.status, AssetStatus::Ready, "{file}: {:?}", asset.errors);
        let duration = asset.duration.unwrap();
        assert!((duration - seconds).abs() < 0.3, "{file}: {duration}");
        let variants = stand.variants(&asset).await;
        assert!(!variants.is_empty(), "{file}");
        let mut largest = (0, 0);
        for variant in variants {
            let played = play(file, &variant.address);
            let of = |kind: &str| {
                let streams = played["streams"].as_array().unwrap();
                streams.iter().find(|stream| stream["codec_type"] == kind).cloned()
            };
            let video = of("video").unwrap_or_else(|| panic!("{file}: no picture"));
            assert_eq!(video["codec_name"], "h264", "{file}");
            assert_eq!(video["pix_fmt"], "yuv420p", "{file}");
            let shown = (video["width"].as_u64().unwrap(), video["height"].as_u64().unwrap());
            largest = largest.max(shown);
            let resolution = format!("RESOLUTION={}x{},", shown.0, shown.1);
            assert!(variant.attributes.contains(&resolution), "{file}: {}", variant.attributes);
            assert!(variant.attributes.contains("FRAME-RATE="), "{file}: {}", variant.attributes);
            let frames: f64 = video["nb_read_frames"].as_str().unwrap().parse().unwrap();
            assert!(frames >= 1.0 && frames <= seconds * 61.0 + 1.0, "{file}: {frames} frames");
            let audio = of("audio");
            assert_eq!(audio.is_some(), sound, "{file}: {audio:?}");
            assert_eq!(variant.attributes.contains("mp4a"), sound, "{file}");
            if let Some(audio) = audio {
                assert_eq!(audio["codec_name"], "aac", "{file}");
                assert!(audio["nb_read_frames"].as_str().unwrap() != "0", "{file}");
            }
        }
        assert_eq!(largest, size, "{file}");
    }
}

/// Decodes all of it, as a player that stops at nothing would.
fn play(file: &str, address: &str) -> Value {
    let output = Command::new("ffprobe")
        .args("-v error -print_format json -count_frames -show_streams".split(' '))
        .args(["-allowed_extensions", "ALL", address])
        .output()
        .unwrap();
    let complaint = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && complaint.is_empty(), "{file}: {complaint}");
    serde_json::from_slice(&output.stdout).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_phones_and_cameras_write_plays() {
    all_play(
        vec![
            plays("h264.mp4", format!("{V} {A} {X264} -c:a aac"), true),
            plays("silent.mp4", format!("{V} {X264}"), false),
            plays("hevc.mp4", format!("{V} {A} {X265} -tag:v hvc1 -c:a aac"), true),
            plays(
                "h264-10-bit-422.mp4",
                format!("{V} -c:v libx264 -preset ultrafast -pix_fmt yuv422p10le"),
                false,
            ),
            plays(
                "h264-444.mp4",
                format!("{V} -c:v libx264 -preset ultrafast -pix_fmt yuv444p"),
                false,
            ),
            plays(
                "interlaced.mp4",
                format!("{V} {X264} -flags +ildct+ilme -x264opts tff=1"),
                false,
            ),
            plays("mono.mp4", format!("{V} {A} {X264} -c:a aac -ac 1"), true),
            plays("pcm.mov", format!("{V} {A} {X264} -c:a pcm_s24le"), true),
            plays("late.ts", format!("{V} {A} {X264} -c:a aac -output_ts_offset 100"), true),
            plays("mpeg2.ts", format!("{V} {A} -c:v mpeg2video -c:a mp2"), true),
            plays("mpeg.mpg", format!("{V} {A} -c:v mpeg2video -c:a mp2"), true),
            Plays {
                // PAL pixels are wider than high: 720×576 is a picture of 4:3.
                size: (768, 576),
                ..plays(
                    "pal.dv",
                    "-f lavfi -i testsrc2=size=720x576:rate=25:duration=0.4 -pix_fmt yuv420p \
                 -target pal-dv",
                    false,
                )
            },
        ]
        .into_iter()
        .map(|case| if case.file == "pal.dv" { Plays { seconds: 0.4, ..case } } else { case })
        .collect(),
    )
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_editors_write_plays() {
    let six = "-f lavfi -i anoisesrc=duration=1 -af \
               pan=5.1|FL=c0|FR=c0|FC=c0|LFE=c0|BL=c0|BR=c0";
    let tracks = "-f lavfi -i sine=frequency=880:duration=1 -map 0 -map 1 -map 2 \
                  -disposition:a:0 0 -disposition:a:1 default";
    all_play(vec![
        plays("prores.mov", format!("{V} {A} -c:v prores_ks -profile:v 3 -c:a pcm_s24le -timecode 01:00:00:00"), true),
        plays("prores-alpha.mov", format!("{V} -c:v prores_ks -profile:v 4444 -pix_fmt yuva444p10le"), false),
        plays("dnxhr.mov", format!("{V} {A} -c:v dnxhd -profile:v dnxhr_sq -pix_fmt yuv422p -c:a pcm_s16le"), true),
        plays("dnxhr.mxf", format!("{V} {A} -c:v dnxhd -profile:v dnxhr_sq -pix_fmt yuv422p -c:a pcm_s16le -ar 48000"), true),
        plays("surround.mkv", format!("{V} {six} {X264} -c:a ac3"), true),
        plays("tracks.mkv", format!("{V} {A} {tracks} {X264} -c:a aac"), true),
        Plays { size: (320, 180), ..plays("odd.mkv", "-f lavfi -i testsrc2=size=321x181:rate=25:duration=1 -c:v ffv1", false) },
        Plays { size: (256, 144), ..plays("anamorphic.avi", "-f lavfi -i testsrc2=size=180x144:rate=25:duration=1 -vf setsar=64/45 -c:v mpeg4", false) },
        Plays { seconds: 0.04, ..plays("one-frame.mkv", format!("{V} -frames:v 1 -c:v ffv1"), false) },
        Plays { seconds: 0.04, ..plays("one-frame.mp4", format!("{V} -frames:v 1 {X264}"), false) },
        // One key frame in 34 s: copied, a player would have to fetch all of it first.
        Plays { size: (160, 90), seconds: 34.0, ..plays("one-key-frame.mp4", format!("-f lavfi -i testsrc2=size=160x90:rate=5:duration=34 {X264} -g 9999 -keyint_min 9999 -sc_threshold 0"), false) },
    ])
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_screen_recorders_and_the_web_write_plays() {
    all_play(vec![
        plays("variable.webm", format!("{V} -vf select='lt(mod(n,10),4)' -vsync vfr -c:v libvpx -deadline realtime -cpu-used 8"), false),
        plays("variable.mp4", format!("{V} -vf select='lt(mod(n,10),4)' -vsync vfr {X264} -video_track_timescale 90000"), false),
        plays("vp9-opus.webm", format!("{V} {A} -c:v libvpx-vp9 -deadline realtime -cpu-used 8 -c:a libopus"), true),
        plays("h264-opus.mkv", format!("{V} {A} {X264} -c:a libopus"), true),
        plays("av1.mp4", format!("{V} {A} -c:v libaom-av1 -cpu-used 8 -usage realtime -c:a aac"), true),
        plays("mpeg4-mp3.avi", format!("{V} {A} -c:v mpeg4 -c:a libmp3lame"), true),
        plays("mjpeg.avi", format!("{V} -c:v mjpeg"), false),
        plays("wmv.asf", format!("{V} {A} -c:v wmv2 -c:a wmav2"), true),
        plays("theora.ogg", format!("{V} {A} -c:v libtheora -c:a libvorbis"), true),
        plays("flac.mkv", format!("{V} {A} {X264} -c:a flac"), true),
    ])
    .await;
}

/// Mean brightness of each quarter of the first frame, 0 to 255: above left, above right, below left,
/// below right.
fn brightness(address: &str) -> [u8; 4] {
    let output = Command::new("ffmpeg")
        .args(["-v", "error", "-allowed_extensions", "ALL", "-i", address])
        .args("-vf scale=2:2:flags=area,format=gray -frames:v 1 -f rawvideo -".split(' '))
        .output()
        .unwrap();
    output.stdout.try_into().expect("four pixels")
}

#[tokio::test(flavor = "multi_thread")]
async fn hdr_looks_as_it_should_where_there_is_none() {
    let stand = Stand::start().await;
    let flat = |code: u32, curve: &str| {
        format!(
            "-f lavfi -i color=black:size=320x180:rate=10:duration=0.5,format=yuv420p10le,\
             geq=lum={code}:cb=512:cr=512 -c:v libx265 -preset ultrafast -x265-params \
             log-level=none:colorprim=bt2020:transfer={curve}:colormatrix=bt2020nc \
             -color_primaries bt2020 -color_trc {curve} -colorspace bt2020nc -tag:v hvc1"
        )
    };
    // A grey of 100 nits, half of what white has, is 0.51 in PQ: unmapped, it would be 127.
    // White is 0.75 in HLG: unmapped, it would be 180.
    for (file, code, curve, range) in
        [("hdr10.mp4", 509, "smpte2084", 150..=195), ("hlg.mov", 721, "arib-std-b67", 190..=240)]
    {
        let asset = stand.ready(&clip(file, &flat(code, curve))).await;
        let variant = &stand.variants(&asset).await[0];
        for mean in brightness(&variant.address) {
            assert!(range.contains(&mean), "{file}: {mean}");
        }
        let streams = play(file, &variant.address);
        assert_eq!(streams["streams"][0]["color_transfer"], "bt709", "{file}");
        assert_eq!(streams["streams"][0]["pix_fmt"], "yuv420p", "{file}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_turned_picture_stands_as_it_was_held() {
    let stand = Stand::start().await;
    let upright = clip(
        "bright-above.mp4",
        &format!(
            "-f lavfi -i color=white:size=320x180:rate=10:duration=0.5,\
             drawbox=y=ih/2:h=ih/2:w=iw:color=black:t=fill {X264}"
        ),
    );
    // Turned clockwise, what is above goes to the right.
    for (degrees, size, bright) in [
        (90, (180, 320), [false, true, false, true]),
        (180, (320, 180), [false, false, true, true]),
        (270, (180, 320), [true, false, true, false]),
    ] {
        let file = format!("turned-{degrees}.mov");
        let turned = stand.folder.path().join(&file);
        let turn = |arguments: String| {
            let arguments = arguments.split_ascii_whitespace().map(str::to_owned);
            Command::new("ffmpeg").args(arguments).arg(&turned).status().unwrap().success()
        };
        let (input, quiet) = (upright.display(), "-nostdin -v quiet -y");
        let made = turn(format!("{quiet} -display_rotation -{degrees} -i {input} -c copy"))
            // FFmpeg before 6.0 has the rotation as metadata of the output, the other way round.
            || turn(format!("{quiet} -i {input} -c copy -metadata:s:v:0 rotate={}", 360 - degrees));
        assert!(made, "{file}");
        let asset = stand.ready(&turned).await;
        let variant = &stand.variants(&asset).await[0];
        assert_eq!(brightness(&variant.address).map(|mean| mean > 128), bright, "{file}");
        let streams = play(&file, &variant.address);
        let shown = &streams["streams"][0];
        assert_eq!((&shown["width"], &shown["height"]), (&size.0.into(), &size.1.into()), "{file}");
        let shape = if size.0 > size.1 { "16:9" } else { "9:16" };
        assert_eq!(asset.aspect_ratio.as_deref(), Some(shape), "{file}");
    }
}

/// A picture that claims to be 15,000 pixels wide and high.
fn bomb() -> Vec<u8> {
    let mut png = std::fs::read(clip("small.png", &format!("{V} -frames:v 1 -update 1"))).unwrap();
    for at in [16, 20] {
        png[at..at + 4].copy_from_slice(&15_000_u32.to_be_bytes());
    }
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("corpus");
    let patched = folder.join(format!("{}-bomb.png", std::process::id()));
    std::fs::write(&patched, png).unwrap();
    let bomb = clip("bomb.mov", &format!("-f png_pipe -i {} -c copy", patched.display()));
    std::fs::remove_file(patched).unwrap();
    std::fs::read(bomb).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_video_is_refused_for_a_reason() {
    let stand = Stand::start().await;
    let whole = std::fs::read(clip("h264.mp4", &format!("{V} {A} {X264} -c:a aac"))).unwrap();
    // Cameras write the index last; one that was switched off did not.
    let headless = whole[..whole.len() / 2].to_vec();
    // The same noise in every run (Knuth's generator).
    let mut state = 1_u64;
    let noise: Vec<u8> = std::iter::repeat_with(|| {
        state =
            state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 56) as u8
    })
    .take(200_000)
    .collect();
    let sound = std::fs::read(clip("sound.m4a", &format!("{A} -c:a aac"))).unwrap();
    let image = std::fs::read(clip("moving.gif", V)).unwrap();
    for (file, bytes, words) in [
        ("headless.mp4", headless, "could not be read as a video"),
        ("empty.mp4", Vec::new(), "The file is empty."),
        ("noise.mp4", noise, "could not be read as a video"),
        ("zeros.mov", vec![0; 100_000], "could not be read as a video"),
        ("sound.m4a", sound, "The file holds sound, but no video."),
        ("image.mp4", image, "no video in a format that is supported"),
        ("bomb.mov", bomb(), "The picture has no size, or is larger than 8K."),
    ] {
        stand.origin.put(file, bytes);
        let asset = stand.ask(&stand.input(file), "signed").await;
        let asset = stand.settled(&asset.id).await;
        assert_eq!(asset.status, AssetStatus::Errored, "{file}");
        let errors = asset.errors.unwrap();
        assert_eq!(errors.kind, "invalid_input", "{file}: {errors:?}");
        assert!(errors.messages[0].contains(words), "{file}: {errors:?}");
        assert_eq!(asset.progress.unwrap().progress, -1.0, "{file}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn of_a_cut_off_file_plays_what_there_is() {
    let stand = Stand::start().await;
    let options = format!(
        "-f lavfi -i testsrc2=size=320x180:rate=25:duration=8 {X264} -g 25 -movflags +faststart"
    );
    let whole = std::fs::read(clip("index-first.mp4", &options)).unwrap();
    stand.origin.put("cut.mp4", whole[..whole.len() * 6 / 10].to_vec());
    let asset = stand.ask(&stand.input("cut.mp4"), "signed").await;
    let asset = stand.completed(&asset.id).await;
    assert_eq!(asset.status, AssetStatus::Ready, "{:?}", asset.errors);
    let duration = asset.duration.unwrap();
    assert!((3.0..6.5).contains(&duration), "{duration}");
    let variant = &stand.variants(&asset).await[0];
    let played = play("cut.mp4", &variant.address);
    assert!(played["streams"][0]["nb_read_frames"].as_str().unwrap().len() >= 2);
}
