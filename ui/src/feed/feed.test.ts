import { describe, expect, it, vi } from "vitest";
import type { Change } from "../bindings/Change";
import type { EngineError } from "../bindings/EngineError";
import type { Everything } from "../host/host";
import { Feed } from "./feed";

/** A host whose snapshots are answered when the test says so. */
class Script {
  readonly seen: (number | string)[] = [];
  readonly waiting: { answer: (seq: number) => void; refuse: (error: EngineError) => void }[] = [];
  unsubscribed = 0;
  tell: (change: Change) => void = () => undefined;
  send: (seq: number) => void = () => undefined;
  readonly feed = new Feed(
    {
      everything: () =>
        new Promise<Everything>((resolve, reject) => {
          this.waiting.push({
            answer: (seq) => {
              resolve({
                seq,
                uploads: [],
                connection: { kind: "none" },
                connections: [],
                allowance: { kind: "full" },
                rebuilt: null,
              });
            },
            refuse: reject,
          });
        }),
      subscribe: async (onChange) => {
        this.tell = onChange;
        this.send = (seq) => {
          onChange({ seq, news: { kind: "removed", ids: [] } });
        };
        return () => this.unsubscribed++;
      },
    },
    {
      snapshot: ({ seq }) => this.seen.push(`snapshot ${String(seq)}`),
      change: ({ seq }) => this.seen.push(seq),
      failed: ({ code }) => this.seen.push(code),
    },
  );

  async answer(seq: number): Promise<void> {
    this.waiting.shift()?.answer(seq);
    await settle();
  }
}

async function settle(): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve));
}

async function started(): Promise<Script> {
  const script = new Script();
  void script.feed.start();
  await settle();
  return script;
}

describe("feed", () => {
  it("hands on changes in order after the snapshot", async () => {
    const script = await started();
    await script.answer(4);
    script.send(5);
    script.send(6);
    expect(script.seen).toEqual(["snapshot 4", 5, 6]);
  });

  it("keeps what comes while the snapshot loads, and drops what is in it", async () => {
    const script = await started();
    for (const seq of [3, 4, 5, 6]) script.send(seq);
    await script.answer(4);
    expect(script.seen).toEqual(["snapshot 4", 5, 6]);
  });

  it("takes a snapshot again after a gap", async () => {
    const script = await started();
    await script.answer(1);
    script.send(2);
    script.send(9);
    script.send(10);
    expect(script.seen).toEqual(["snapshot 1", 2]);
    await script.answer(9);
    script.send(11);
    expect(script.seen).toEqual(["snapshot 1", 2, "snapshot 9", 10, 11]);
  });

  it("takes a snapshot again when all places are other ones", async () => {
    const script = await started();
    await script.answer(1);
    script.tell({ seq: 2, news: { kind: "order" } });
    script.send(3);
    expect(script.seen).toEqual(["snapshot 1", 2]);
    await script.answer(2);
    expect(script.seen).toEqual(["snapshot 1", 2, "snapshot 2", 3]);
  });

  it("takes a snapshot again if there is a gap behind the one that loaded", async () => {
    const script = await started();
    script.send(8);
    await script.answer(5);
    expect(script.seen).toEqual(["snapshot 5"]);
    await script.answer(8);
    script.send(9);
    expect(script.seen).toEqual(["snapshot 5", "snapshot 8", 9]);
  });

  it("takes its time when snapshots do not close the gap", async () => {
    const script = await started();
    script.send(8);
    await script.answer(5);
    await script.answer(5);
    expect(script.waiting).toHaveLength(0);
    await vi.waitFor(() => {
      expect(script.waiting).toHaveLength(1);
    });
    await script.answer(8);
    script.send(9);
    expect(script.seen).toEqual(["snapshot 5", "snapshot 5", "snapshot 8", 9]);
  });

  it("ignores changes that it has seen", async () => {
    const script = await started();
    await script.answer(5);
    script.send(5);
    script.send(4);
    script.send(6);
    script.send(6);
    expect(script.seen).toEqual(["snapshot 5", 6]);
  });

  it("says when there is no snapshot, and can be started again", async () => {
    const script = await started();
    script.waiting.shift()?.refuse({ code: "profile_in_use", message: "" });
    await settle();
    script.send(1);
    void script.feed.start();
    await settle();
    await script.answer(0);
    expect(script.seen).toEqual(["profile_in_use", "snapshot 0", 1]);
  });

  it("is silent once stopped", async () => {
    const script = await started();
    script.feed.stop();
    await script.answer(1);
    script.send(2);
    expect(script.seen).toEqual([]);
    expect(script.unsubscribed).toBe(1);
  });
});
