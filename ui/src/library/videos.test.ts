import { describe, expect, it } from "vitest";
import { aVideo } from "../../tests/library";
import { NOW } from "../../tests/uploads";
import type { VideoView } from "../bindings/VideoView";
import { Videos } from "./videos.svelte";

const PAGE = 10;

/** A team with so many videos, newest first; its cursors name the last row of a page. */
function aTeam(count: number) {
  const asked: (string | null)[] = [];
  const all = Array.from({ length: count }, (_, index) =>
    aVideo({ id: `v${String(index)}`, title: `take ${String(index)}`, createdAt: NOW - index }),
  );
  const refusal: { code: string | null } = { code: null };
  const videos = async (project: string, search: string, cursor: string | null) => {
    asked.push(cursor);
    if (refusal.code !== null) throw { code: refusal.code, message: "" };
    const found = all.filter(
      ({ title, createdAt }) => title.includes(search) && (cursor === null || createdAt < Number(cursor)),
    );
    const page = project === "empty" ? [] : found.slice(0, PAGE);
    const rest = project !== "empty" && found.length > PAGE;
    return { videos: page, next: rest ? String(page.at(-1)?.createdAt ?? 0) : null };
  };
  return { host: { videos }, asked, all, refusal };
}

const inMemory = (videos: Videos): VideoView[] =>
  Array.from({ length: videos.size }, (_, index) => videos.at(index)).filter((video) => video !== null);
const settle = () => new Promise((resolve) => setTimeout(resolve));

describe("a project's videos", () => {
  it("come page by page, to their end", async () => {
    const videos = new Videos(aTeam(25).host);
    await videos.begin("p", "");
    expect([videos.size, videos.end]).toEqual([10, false]);
    await videos.more();
    await videos.more();
    expect([videos.size, videos.end]).toEqual([25, true]);
    await videos.more();
    expect(videos.size).toBe(25);
    expect(videos.at(24)?.title).toBe("take 24");
    expect(videos.indexOf("v13")).toBe(13);
    expect([videos.at(25), videos.indexOf("other")]).toEqual([null, null]);
  });

  it("are in memory a few pages at a time, and asked for again where somebody goes back", async () => {
    const { host, asked } = aTeam(300);
    const videos = new Videos(host);
    await videos.begin("p", "");
    for (let page = 1; page < 30; page++) {
      await videos.more();
      videos.see(page * PAGE, page * PAGE + 5);
    }
    expect(videos.size).toBe(300);
    expect(inMemory(videos).length).toBeLessThanOrEqual(5 * PAGE);
    expect(videos.at(3)).toBeNull();
    const before = asked.length;
    videos.see(0, 5);
    videos.see(0, 5);
    await settle();
    expect(asked.length).toBe(before + 1);
    expect(videos.at(3)?.title).toBe("take 3");
    expect(inMemory(videos).length).toBeLessThanOrEqual(5 * PAGE);
    expect(videos.size).toBe(300);
  });

  it("are shown once each where others went meanwhile", async () => {
    const { host, all } = aTeam(80);
    const videos = new Videos(host);
    await videos.begin("p", "");
    for (let page = 1; page < 8; page++) {
      await videos.more();
      videos.see(page * PAGE, page * PAGE);
    }
    all.splice(3, 4);
    videos.see(0, 5);
    await settle();
    const ids = inMemory(videos).map(({ id }) => id);
    expect(new Set(ids).size).toBe(ids.length);
    expect(videos.size).toBe(76);
  });

  it("that are in work are looked at again, and nothing else is", async () => {
    const { host, all, asked } = aTeam(30);
    all[12] = aVideo({ ...all[12], state: "processing" });
    const videos = new Videos(host);
    await videos.begin("p", "");
    await videos.more();
    await videos.look(0, 5);
    expect(asked.length).toBe(2);
    all[12] = aVideo({ ...all[12], state: "ready" });
    await videos.look(0, 15);
    expect(asked.length).toBe(3);
    expect(videos.at(12)?.state).toBe("ready");
    await videos.look(0, 15);
    expect(asked.length).toBe(3);
  });

  it("of another project take no answer to what was asked of the one before", async () => {
    const videos = new Videos(aTeam(25).host);
    const first = videos.begin("p", "");
    await videos.begin("empty", "");
    await first;
    expect([videos.size, videos.loaded, videos.end]).toEqual([0, true, true]);
  });

  it("are searched once at a time, and of what is typed meanwhile only the last", async () => {
    const { host } = aTeam(30);
    const searched: string[] = [];
    let answer: () => void = () => undefined;
    const slow = async (project: string, search: string, cursor: string | null) => {
      searched.push(search);
      await new Promise<void>((resolve) => (answer = resolve));
      return host.videos(project, search, cursor);
    };
    const videos = new Videos({ videos: slow });
    const all = ["t", "ta", "take 7"].map((text) => videos.begin("p", text));
    await settle();
    all.push(videos.begin("p", "take 8"), videos.begin("p", "take 9"));
    await settle();
    expect(searched).toEqual(["take 7"]);
    answer();
    await settle();
    expect(searched).toEqual(["take 7", "take 9"]);
    answer();
    await Promise.all(all);
    expect(videos.at(0)?.title).toBe("take 9");
  });

  it("say what went wrong, keep what is there, and go on when asked again", async () => {
    const { host, refusal, asked } = aTeam(25);
    const videos = new Videos(host);
    await videos.begin("p", "");
    refusal.code = "unreachable";
    await videos.more();
    await videos.more();
    expect([videos.problem?.code, videos.size, asked.length]).toEqual(["unreachable", 10, 2]);
    refusal.code = null;
    await videos.begin("p", "");
    await videos.more();
    expect([videos.problem, videos.size]).toEqual([null, 20]);
  });
});
