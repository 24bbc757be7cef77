// The watch page: plays a public video for whoever knows its public id.
import { call, describe, lookAgain, say, start } from "./player.js";

const publicId = decodeURIComponent(location.pathname.split("/").pop());

start({
  ask: () => call("action", "videoActions:getPublicPlaybackSession", { publicId }),
  absent: async () => {
    const found = await call("query", "videos:getByPublicId", { publicId });
    if (found?.processing) {
      describe(found);
      say("waiting", "This video is being prepared", "It plays here as soon as it can be played.");
    } else {
      say("waiting", "This video is not ready to watch",
        "It may not be shared any more. This page looks again by itself.");
    }
    lookAgain();
  },
});
