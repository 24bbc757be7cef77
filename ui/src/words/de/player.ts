import type { Words } from "../words";

export const player = {
  "player.label": "Player: {title}",
  "player.play": "Abspielen",
  "player.pause": "Pause",
  "player.seek": "Stelle",
  "player.seek_text": "{position} von {duration}",
  "player.mute": "Ton aus",
  "player.unmute": "Ton an",
  "player.speed": "Tempo",
  "player.speed_value": "{speed}×",
  "player.quality": "Qualität",
  "player.quality_auto": "Auto",
  "player.quality_value": "{height}p",
  "player.fullscreen": "Vollbild",
  "player.window": "Vollbild verlassen",
  "player.loading": "Das Video wird geöffnet…",
  "player.problem": "Das Video lässt sich gerade nicht abspielen",
  "player.codec":
    "Diesem Computer fehlt der Codec für dieses Video. Unter Linux: das GStreamer-Plugin „libav“ installieren und Dailies neu starten.",
  "player.original": "Das Original, wie es hochgeladen wurde",
  "player.codec_original":
    "Dieser Computer kann das Original nicht abspielen. Warten, bis es verarbeitet ist, oder es herunterladen.",
  "player.local": "Die Datei auf diesem Computer",
  "player.codec_local":
    "Dieser Computer kann Dateien dieser Art nicht abspielen. Hochgeladen wird sie trotzdem; was Ihr Team daraus macht, lässt sich hier abspielen.",
} as const satisfies Partial<Words>;
