/** Between two looks, in milliseconds. */
const LOOKS = 500;
/** What is there beyond the place must be worth playing, in seconds. */
const AHEAD = 0.25;

/**
 * Plays on what stands still although more of it is there; returns what ends that.
 *
 * WebKitGTK (2.50) pauses by itself what runs short of data. When more arrives while it is still about to
 * pause, as it does from a disk, it misses that and waits for good; it shows itself as playing, and only
 * another order to play moves it.
 */
export function endStandstills(video: HTMLVideoElement): () => void {
  let stood: number | null = null;
  const looks = setInterval(() => {
    const { paused, ended, seeking, currentTime, duration } = video;
    if (paused || ended || seeking) {
      stood = null;
      return;
    }
    if (currentTime === stood && has(video.buffered, Math.min(currentTime + AHEAD, duration))) {
      video.pause();
      video.play().catch(() => {
        // It is paused, as its button says.
      });
    }
    stood = currentTime;
  }, LOOKS);
  return () => {
    clearInterval(looks);
  };
}

function has(ranges: TimeRanges, place: number): boolean {
  for (let index = 0; index < ranges.length; index++) {
    if (ranges.start(index) <= place && place <= ranges.end(index)) return true;
  }
  return false;
}
