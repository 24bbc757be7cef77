import { cleanup, render, screen } from "@testing-library/svelte";
import userEvent from "@testing-library/user-event";
import { describe, expect, it, vi } from "vitest";
import faultSource from "../bindings/UpdateFault.ts?raw";
import type { UpdateFault } from "../bindings/UpdateFault";
import type { UpdateState } from "../bindings/UpdateState";
import { LANGUAGES } from "../words/words";
import { faultWords, noticeOf, stateWords } from "./present";
import UpdateNotice from "./UpdateNotice.svelte";
import UpdatesSection from "./UpdatesSection.svelte";
import { Updating } from "./updating.svelte";

/** From the generated type itself, so that a new fault fails here too. */
const faults = [...(faultSource.split("export type UpdateFault =")[1] ?? "").matchAll(/"(\w+)"/g)].map(
  ([, fault]) => fault as UpdateFault,
);

function section(state: UpdateState, byItself = true) {
  const [onturn, onlook, onrestart] = [vi.fn(), vi.fn(), vi.fn()];
  cleanup();
  render(UpdatesSection, { update: { version: "0.1.0", state }, byItself, onturn, onlook, onrestart });
  return { onturn, onlook, onrestart };
}

describe("a fault", () => {
  it("of the shell's is known here", () => {
    expect(faults.length).toBe(7);
  });

  it.each(faults)("%s says what happened, what it means and what to do", (fault) => {
    for (const words of Object.values(LANGUAGES)) {
      for (const part of ["what", "todo"] as const) {
        expect(words[`update_fault.${fault}.${part}`]).toMatch(/[.]$/);
      }
    }
    expect(faultWords(fault)).toContain("Nothing was changed");
  });
});

describe("the section in the settings", () => {
  it("of a build without a key says so, and offers nothing", () => {
    section({ kind: "off" });
    screen.getByText(/does not look for newer versions/);
    expect(screen.queryByRole("button")).toBeNull();
    expect(screen.queryByRole("switch")).toBeNull();
  });

  it("looks now, and turns looking by itself off", async () => {
    const user = userEvent.setup();
    const { onlook, onturn, onrestart } = section({ kind: "none", lookedAt: null });
    await user.click(screen.getByRole("button", { name: "Look now" }));
    await user.click(screen.getByRole("switch", { name: "Look for newer versions" }));
    expect(onlook).toHaveBeenCalledOnce();
    expect(onturn).toHaveBeenCalledWith(false);
    expect(onrestart).not.toHaveBeenCalled();
  });

  it("does not ask twice at a time", async () => {
    for (const state of [
      { kind: "looking" },
      { kind: "downloading", version: "0.2.0", percent: 42 },
    ] satisfies UpdateState[]) {
      const { onlook } = section(state);
      await userEvent.setup().click(screen.getByRole("button", { name: "Look now" }));
      expect(onlook).not.toHaveBeenCalled();
    }
    screen.getByText("Downloading Dailies 0.2.0: 42%");
  });

  it("restarts to what is ready, and leaves packages to the system", async () => {
    const { onrestart } = section({ kind: "ready", version: "0.2.0" });
    await userEvent.setup().click(screen.getByRole("button", { name: "Restart to update" }));
    expect(onrestart).toHaveBeenCalledOnce();
    section({ kind: "out", version: "0.2.0", packaged: true });
    screen.getByText(/package manager/);
    expect(screen.queryByRole("button", { name: "Restart to update" })).toBeNull();
  });

  it("says when it was asked last", () => {
    const [at, now] = [Date.UTC(2026, 10, 21, 9), Date.UTC(2026, 10, 21, 12)];
    expect(stateWords({ kind: "none", lookedAt: at }, now)).toMatch(/no newer version.*\d/);
  });
});

describe("the notice", () => {
  it("is there for what somebody can do, or has to know", () => {
    const silent: UpdateState[] = [
      { kind: "off" },
      { kind: "none", lookedAt: 1 },
      { kind: "looking" },
      { kind: "downloading", version: "0.2.0", percent: null },
      { kind: "failed", fault: "unreachable" },
      { kind: "failed", fault: "cut_off" },
    ];
    for (const state of silent) expect(noticeOf(state), state.kind).toBeNull();
    expect(noticeOf({ kind: "failed", fault: "not_genuine" })?.words).toBe("An update was refused");
  });

  it("restarts, or shows more", async () => {
    const user = userEvent.setup();
    const [onrestart, onmore] = [vi.fn(), vi.fn()];
    const update = { version: "0.1.0", state: { kind: "ready", version: "0.2.0" } satisfies UpdateState };
    render(UpdateNotice, { update, onrestart, onmore });
    await user.click(screen.getByRole("button", { name: "Dailies 0.2.0 is ready: restart to update" }));
    expect([onrestart.mock.calls.length, onmore.mock.calls.length]).toEqual([1, 0]);
    cleanup();
    const out = {
      version: "0.1.0",
      state: { kind: "out", version: "0.2.0", packaged: true } satisfies UpdateState,
    };
    render(UpdateNotice, { update: out, onrestart, onmore });
    await user.click(screen.getByRole("button", { name: "Dailies 0.2.0 is out" }));
    expect([onrestart.mock.calls.length, onmore.mock.calls.length]).toEqual([1, 1]);
  });
});

describe("the restart", () => {
  function updating(busy: boolean) {
    const asked: boolean[] = [];
    const installUpdate = async (interrupt: boolean) => {
      asked.push(interrupt);
      return interrupt || !busy;
    };
    const watch = async (command: Promise<unknown>) => {
      await command;
      return true;
    };
    return { asked, restart: new Updating({ installUpdate }, watch) };
  }

  it("asks nobody while nothing is under way", async () => {
    const { asked, restart } = updating(false);
    await restart.restart();
    expect([asked, restart.asks]).toEqual([[false], false]);
  });

  it("interrupts uploads only when somebody says so", async () => {
    const { asked, restart } = updating(true);
    await restart.restart();
    expect([asked, restart.asks]).toEqual([[false], true]);
    restart.later();
    expect([asked, restart.asks]).toEqual([[false], false]);
    await restart.restart();
    await restart.restartAnyway();
    expect([asked, restart.asks]).toEqual([[false, false, true], false]);
  });
});
