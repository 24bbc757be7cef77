export const player = {
  "player.label": "Player: {title}",
  "player.play": "Play",
  "player.pause": "Pause",
  "player.seek": "Position",
  "player.seek_text": "{position} of {duration}",
  "player.mute": "Mute",
  "player.unmute": "Sound on",
  "player.speed": "Speed",
  "player.speed_value": "{speed}×",
  "player.quality": "Quality",
  "player.quality_auto": "Auto",
  "player.quality_value": "{height}p",
  "player.fullscreen": "Full screen",
  "player.window": "Leave full screen",
  "player.loading": "Opening the video…",
  "player.problem": "The video cannot be played right now",
  "player.codec":
    "This computer lacks the codec for this video. On Linux, install GStreamer’s “libav” plugin, then start Dailies again.",
  "player.original": "The original, as it was uploaded",
  "player.codec_original":
    "This computer cannot play the original. Wait until it is processed, or download it.",
  "player.local": "The file on this computer",
  "player.codec_local":
    "This computer cannot play this kind of file. It is uploaded all the same; what your team makes of it can be played here.",
} as const;
