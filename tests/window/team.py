"""The team server on this computer, asked over its API with its own credentials."""

import hashlib
import json
import urllib.request


class Team:
    def __init__(self, credentials):
        self.credentials = json.loads(credentials.read_text())

    def _call(self, kind, path, args):
        body = json.dumps({"path": path, "args": args, "format": "json"}).encode()
        headers = {
            "Authorization": f"Bearer {self.credentials['apiKey']}",
            "Content-Type": "application/json",
        }
        url = f"{self.credentials['url']}/api/{kind}"
        request = urllib.request.Request(url, body, headers, method="POST")
        with urllib.request.urlopen(request, timeout=30) as answer:
            said = json.load(answer)
        assert said["status"] == "success", f"{path}: {said}"
        return said["value"]

    def videos(self):
        """All videos of the project."""
        pages = {"numItems": 100, "cursor": None}
        args = {"projectId": self.credentials["projectId"], "paginationOpts": pages}
        return self._call("query", "videos:list", args)["page"]

    def digest(self, video):
        """SHA-256 of a video's original as it lies in the storage."""
        args = {"videoId": video["_id"]}
        url = self._call("action", "videoActions:getOriginalPlaybackUrl", args)["url"]
        with urllib.request.urlopen(url, timeout=60) as original:
            return digest(original)


def digest(file):
    hashed = hashlib.sha256()
    while chunk := file.read(1 << 20):
        hashed.update(chunk)
    return hashed.hexdigest()
