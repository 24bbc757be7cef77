import { render, screen } from "@testing-library/svelte";
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { aFolder } from "../../tests/folders";
import { browserHost } from "../host/browser";
import type { Preview } from "../bindings/Preview";
import type { Rules } from "../bindings/Rules";
import { NEW_RULES } from "./draft";
import { DryRun } from "./dryrun.svelte";
import { type Editing, Folders } from "./folders.svelte";
import RulesEditor from "./RulesEditor.svelte";

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

it("asks once for many changes, and again for one that came meanwhile", async () => {
  let asked = 0;
  const folders = new Folders({ folders: async () => [aFolder({ id: String(++asked) })] });
  for (let change = 0; change < 50; change++) void folders.changed();
  await vi.advanceTimersByTimeAsync(0);
  expect([asked, folders.list?.[0]?.id]).toEqual([1, "1"]);
  await vi.advanceTimersByTimeAsync(1_000);
  expect([asked, folders.list?.[0]?.id]).toEqual([2, "2"]);
  await vi.advanceTimersByTimeAsync(10_000);
  expect(asked).toBe(2);
});

it("keeps what it knew when it is refused, and says why", async () => {
  const answers = [async () => [aFolder()], async () => Promise.reject({ code: "stopped", message: "" })];
  const folders = new Folders({ folders: () => (answers.shift() as () => Promise<never>)() });
  void folders.changed();
  await vi.advanceTimersByTimeAsync(1_000);
  void folders.changed();
  await vi.advanceTimersByTimeAsync(1_000);
  expect([folders.list?.length, folders.problem?.code]).toEqual([1, "stopped"]);
});

function rules(exclude: string): Rules {
  return { ...NEW_RULES, exclude: [exclude] };
}

it("looks a folder through for the last rules only, one at a time, and for none that make no sense", async () => {
  const looked: string[] = [];
  let under = 0;
  const dry = new DryRun(
    {
      ruleFaults: async (patterns) => ({ patterns: patterns.filter((text) => text === "["), title: false }),
      preview: async (_, { exclude }): Promise<Preview> => {
        expect(++under).toBe(1);
        await new Promise((resolve) => setTimeout(resolve, 2_000));
        under--;
        looked.push(exclude.join());
        return { goes: looked.length, bytes: 0, stays: 0, files: [] };
      },
    },
    "f",
  );
  dry.want(rules("a"));
  await vi.advanceTimersByTimeAsync(100);
  for (const text of ["b", "bc", "bcd"]) dry.want(rules(text));
  await vi.advanceTimersByTimeAsync(10_000);
  expect([looked, dry.preview?.goes, dry.looking]).toEqual([["a", "bcd"], 2, false]);
  dry.want(rules("["));
  await vi.advanceTimersByTimeAsync(1_000);
  expect([dry.sound, dry.faults.patterns, looked.length]).toEqual([false, ["["], 2]);
  dry.want(rules("e"));
  dry.stop();
  await vi.advanceTimersByTimeAsync(10_000);
  expect(looked.length).toBe(2);
});

it("looks a folder through once for rules that nobody changes", async () => {
  let looked = 0;
  const host = browserHost(new URLSearchParams("scenario=folders"));
  const preview = async (): Promise<Preview> => ({ goes: ++looked, bytes: 0, stays: 0, files: [] });
  const folders = new Folders(host);
  folders.edit(aFolder());
  const props = { editing: folders.editing as Editing, onclose: () => undefined };
  render(RulesEditor, { host: { ...host, preview }, ...props });
  await vi.advanceTimersByTimeAsync(5_000);
  expect(screen.getByText("1 file would be uploaded now")).toBeTruthy();
  expect(looked).toBe(1);
});
