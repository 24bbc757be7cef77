import { describe, expect, it, vi } from "vitest";
import { aDownload } from "../../tests/library";
import type { DownloadView } from "../bindings/DownloadView";
import { type DownloadEnd, Downloads } from "./downloads.svelte";

async function listening(first: DownloadView[] = [], meanwhile: DownloadView[] | null = null) {
  let tell: (all: DownloadView[]) => void = () => undefined;
  const host = {
    downloads: async () => {
      if (meanwhile) tell(meanwhile);
      return first;
    },
    onDownloads: async (onDownloads: typeof tell) => {
      tell = onDownloads;
      return () => undefined;
    },
  };
  const ends: DownloadEnd[] = [];
  const downloads = new Downloads(host, (end) => ends.push(end));
  await downloads.start();
  return { downloads, ends, tell: (all: DownloadView[]) => tell(all) };
}

describe("downloads", () => {
  it("tell of each end once", async () => {
    const { downloads, ends, tell } = await listening();
    tell([aDownload()]);
    tell([aDownload({ arrivedBytes: 600_000_000 })]);
    expect(ends).toEqual([]);
    const done = aDownload({ state: { kind: "done", verified: true } });
    tell([done]);
    tell([done, aDownload({ id: 2, title: "other" })]);
    expect(ends).toEqual([{ title: "reel", kind: "done" }]);
    expect(downloads.list.length).toBe(2);
  });

  it("end in a window that nobody sees, and are shown when it is seen", async () => {
    const { downloads, ends, tell } = await listening([aDownload()]);
    const hidden = vi.spyOn(document, "hidden", "get").mockReturnValue(true);
    tell([aDownload({ state: { kind: "done", verified: true } })]);
    expect([ends.length, downloads.list[0]?.state.kind]).toEqual([1, "downloading"]);
    hidden.mockRestore();
    document.dispatchEvent(new Event("visibilitychange"));
    expect(downloads.list[0]?.state.kind).toBe("done");
  });

  it("that stopped and are tried again may stop again", async () => {
    const { ends, tell } = await listening();
    const failed = aDownload({ state: { kind: "failed", code: "local_storage" } });
    for (const view of [aDownload(), failed, aDownload(), failed]) tell([view]);
    expect(ends).toEqual([
      { title: "reel", kind: "failed" },
      { title: "reel", kind: "failed" },
    ]);
  });

  it("that had ended before somebody looked are no news", async () => {
    const done = aDownload({ state: { kind: "done", verified: false } });
    const { downloads, ends } = await listening([done]);
    expect([downloads.list, ends]).toEqual([[done], []]);
  });

  it("of an earlier start are listed as they stand, and are no news whoever tells of them first", async () => {
    const left = [
      aDownload({ state: { kind: "done", verified: true } }),
      aDownload({ id: 2, state: { kind: "failed", code: "folder_missing" } }),
      aDownload({ id: 3, state: { kind: "checking" } }),
      aDownload({ id: 4, state: { kind: "held", code: "signed_out" } }),
    ];
    const { downloads, ends, tell } = await listening([], left);
    expect([downloads.list, downloads.last, ends]).toEqual([left, null, []]);
    tell([...left.slice(0, 2), aDownload({ id: 3, title: "rest", state: { kind: "done", verified: true } })]);
    expect(ends).toEqual([{ title: "rest", kind: "done" }]);
  });
});
