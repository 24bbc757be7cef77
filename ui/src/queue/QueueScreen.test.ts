import { fireEvent, screen, waitFor, within } from "@testing-library/svelte";
import userEvent from "@testing-library/user-event";
import { describe, expect, it } from "vitest";
import { QUEUE, queue, row } from "../../tests/app";
import { Recorder } from "../../tests/recorder";
import { SHELL } from "../../tests/team";
import { anUpload, NOW } from "../../tests/uploads";

describe("the queue", () => {
  it("shows groups, states and the bar's value in words", async () => {
    await queue();
    const headings = screen.getAllByRole("heading", { level: 2 }).map(({ textContent }) => textContent);
    expect(headings).toEqual(["Uploading 1", "Needs you 1", "Waiting 1", "Done today 1"]);
    const bar = within(row("a.mov")).getByRole("progressbar");
    expect(bar).toHaveProperty("ariaValueNow", "61");
    expect(bar.getAttribute("aria-valuetext")).toBe("61%, 0 of 1 kB confirmed");
    expect(row("b.mov").textContent).toContain("Next");
    expect(row("c.mov").textContent).toMatch(
      /Your team’s storage is full\..*goes on when there is room\..*says: “9 TB of 9 TB”\..*then retry/s,
    );
    expect(row("d.mov").textContent).toContain("Ready");
  });

  it("does what its buttons say", async () => {
    const host = await queue();
    const user = userEvent.setup();
    await user.click(within(row("a.mov")).getAllByRole("button", { name: "Pause" })[0] as HTMLElement);
    await user.click(within(row("c.mov")).getByRole("button", { name: "Retry now" }));
    await user.click(within(row("d.mov")).getAllByRole("button", { name: "Copy link" })[0] as HTMLElement);
    await user.click(screen.getByRole("button", { name: "Pause all" }));
    expect(host.asked).toEqual(["pause a", "retry c", "copyLinks d", "pauseAll"]);
    await screen.findByText("Link copied");
  });

  it("names the team where there are several", async () => {
    const host = await queue();
    const { team, project } = anUpload({}).destination;
    expect(row("d.mov").textContent).not.toContain(team);
    const other = { ...host.connection, url: "https://other.example/" } as typeof host.connection;
    host.change({
      kind: "connection",
      connection: host.connection,
      connections: [host.connection, other],
    });
    await waitFor(() => expect(row("d.mov").textContent).toContain(`${team} / ${project}`));
  });

  it("works by keyboard alone: move, select, pause, cancel after a question", async () => {
    const host = await queue();
    const user = userEvent.setup();
    screen.getByRole("grid").focus();
    await user.keyboard("{Home}");
    expect(row("a.mov").getAttribute("aria-selected")).toBe("true");
    await user.keyboard(" ");
    await user.keyboard("{Shift>}{ArrowDown}{ArrowDown}{/Shift}{Delete}");
    await user.click(await screen.findByText("Cancel uploads"));
    expect(host.asked).toEqual(["pause a", "cancel a,c,b"]);
    screen.getByRole("grid").focus();
    await user.keyboard("{End}{Shift>}{F10}{/Shift}");
    const menu = await screen.findByRole("menu");
    expect(
      within(menu)
        .getAllByRole("menuitem")
        .map(({ textContent }) => textContent.trim()),
    ).toEqual(["Play", "Copy link", "Details", "Show in folder", "Remove from list"]);
    await user.keyboard("{End}{Enter}");
    expect(host.asked.at(-1)).toBe("remove d");
  });

  it("says why nothing is sent, and sends all the same", async () => {
    const host = await queue();
    const user = userEvent.setup();
    host.change({ kind: "allowance", allowance: { kind: "limit", bytesPerSecond: 4e6 } });
    await screen.findByRole("button", { name: "Speed limit: At most 4.0 MB/s" });
    const until = NOW + 3_600_000;
    host.change({ kind: "allowance", allowance: { kind: "schedule", until } });
    await screen.findByText(/^The schedule lets nothing be sent until \d\d:\d\d\.$/);
    expect(screen.queryByRole("button", { name: "Send all the same" })).toBeNull();
    host.change({ kind: "allowance", allowance: { kind: "metered" } });
    await screen.findByText("This network is metered: nothing is sent over it.");
    await screen.findByRole("button", { name: "Speed limit: Nothing is sent now" });
    host.change({
      kind: "uploads",
      uploads: [anUpload({ id: "a", title: "a.mov", phase: "uploading", progress: { confirmedBytes: 610 } })],
    });
    await waitFor(() => expect(row("a.mov").textContent).toContain("Waiting for another network"));
    expect(within(row("a.mov")).getByRole("progressbar").getAttribute("aria-valuenow")).toBe("61");
    await user.click(screen.getByRole("button", { name: "Send all the same" }));
    expect(host.asked).toEqual(["sendHere"]);
    host.change({ kind: "allowance", allowance: { kind: "full" } });
    await waitFor(() => expect(screen.queryByText(/metered/)).toBeNull());
  });

  it("follows the news and tells what ended", async () => {
    const host = await queue();
    const progress = {
      totalBytes: 1000,
      confirmedBytes: 800,
      inFlightBytes: 0,
      bytesPerSecond: 5,
      secondsLeft: 60,
    };
    host.change({ kind: "progress", uploads: [{ id: "a", progress }] });
    await waitFor(() => expect(within(row("a.mov")).getByText("80%")).toBeTruthy());
    host.change({
      kind: "uploads",
      uploads: [anUpload({ id: "a", title: "a.mov", phase: "ready", uploadedAt: NOW })],
    });
    await waitFor(() => expect(screen.getByRole("log").textContent).toBe("a.mov is ready."));
    host.change({ kind: "removed", ids: ["a"] });
    await waitFor(() => expect(screen.queryByText("a.mov")).toBeNull());
  });

  it("says in words why a command was refused, and which files were not taken", async () => {
    const host = await queue();
    await fireEvent.keyDown(window, { key: "o", ctrlKey: true });
    await screen.findByText("1 file was not added");
    await screen.findByText("2 files are in the queue already");
    await screen.findByText("13 other files of the folder are no videos and stay behind.");
    host.refusal = { code: "signed_out", message: "401" };
    await userEvent.click(screen.getByRole("button", { name: "Pause all" }));
    await screen.findByText("The key or the sign-in is no longer valid.");
  });

  it("shows what a drag would add", async () => {
    const host = await queue();
    host.drag({ videos: 12, others: 2, names: ["notes.txt", "card.xml"] });
    await screen.findByText("Drop to add 12 videos");
    expect(screen.getByText("2 files are no videos and stay")).toBeTruthy();
    expect(screen.getByText("notes.txt, card.xml")).toBeTruthy();
    expect(screen.getByText("to North Studio / Spring / Rushes")).toBeTruthy();
    host.drag({ videos: 0, others: 5, names: ["notes.txt", "card.xml", "slate.jpg"] });
    await screen.findByText("notes.txt, card.xml, slate.jpg and 2 more");
    host.drag(null);
    await waitFor(() => expect(screen.queryByText("Drop to add 12 videos")).toBeNull());
  });

  it("fills the rows that it has when it is scrolled, but not the one whose button has the keyboard", async () => {
    const long = Array.from({ length: 200 }, (_, at) => anUpload({ id: `w${at}`, title: `${at}.mov` }));
    await queue(new Recorder(long));
    const view = screen.getByRole("grid");
    const [first, third] = [row("0.mov"), row("2.mov")];
    const button = within(third).getByRole("button", { name: "Pause" });
    button.focus();
    view.scrollTop = 100 * 52;
    await fireEvent.scroll(view);
    await waitFor(() => expect(row("100.mov")).toBeTruthy());
    expect(first.isConnected).toBe(true);
    expect(first.dataset.upload).not.toBe("w0");
    expect(within(first).queryByText("0.mov")).toBeNull();
    expect(button.isConnected).toBe(false);
  });

  it("says what was made of a damaged queue, until it is told to be quiet", async () => {
    const host = new Recorder(QUEUE);
    host.rebuilt = { kept: "/home/mia/queue.damaged-1", uploads: 4, fromBackup: 1, someLost: true };
    await queue(host);
    const words = await screen.findByText("The queue was damaged, and was made anew.");
    const banner = words.closest(".banner") as HTMLElement;
    expect(banner.textContent).toContain(
      "4 uploads are in it. 1 of them is as the last backup had it. Not all",
    );
    expect(banner.textContent).toContain("kept as /home/mia/queue.damaged-1.");
    await userEvent.click(within(banner).getByRole("button"));
    expect(words.isConnected).toBe(false);
  });

  it("says of what needs somebody how large it is and where it goes, and whether it is given up", async () => {
    const failed = anUpload({ id: "f", title: "f.mov", hold: { kind: "failed", code: "file_too_large" } });
    await queue(new Recorder([...QUEUE, failed]));
    expect(row("c.mov").textContent).toContain("1 kB · Spring / Rushes");
    expect(row("c.mov").textContent).not.toContain("Could not be uploaded");
    expect(row("f.mov").textContent).toContain("Could not be uploaded. The file is larger than");
  });

  it("says of what the team has and could not make playable nothing else", async () => {
    const broken = anUpload({
      id: "f",
      title: "f.mov",
      videoId: "v",
      hold: { kind: "failed", code: "processing_failed" },
    });
    await queue(new Recorder([...QUEUE, broken]));
    expect(row("f.mov").textContent).not.toContain("Could not be uploaded");
  });

  it("does not say that everything is with the team while something needs somebody", async () => {
    const done = anUpload({ id: "d", title: "d.mov", phase: "ready", videoId: "v" });
    const broken = anUpload({ id: "f", title: "f.mov", hold: { kind: "failed", code: "file_too_large" } });
    const host = new Recorder([done, broken]);
    await queue(host);
    const header = within(screen.getByRole("heading", { name: "Queue" }).closest("header") as HTMLElement);
    await header.findByText("1 needs you");
    host.change({ kind: "removed", ids: ["f"] });
    await header.findByText("Everything is with your team");
  });

  it("asks before it cancels, and says what of it the team has", async () => {
    await queue(
      new Recorder([
        anUpload({ id: "n", title: "n.mov", progress: { ...anUpload().progress, confirmedBytes: 0 } }),
        anUpload({ id: "s", title: "s.mov", videoId: "v" }),
      ]),
    );
    const user = userEvent.setup();
    screen.getByRole("grid").focus();
    await user.keyboard("{Home}{Delete}");
    await screen.findByText(/^Nothing of it is with your team yet/);
    await user.click(screen.getByRole("button", { name: "Keep uploading" }));
    screen.getByRole("grid").focus();
    await user.keyboard("{Home}{Shift>}{ArrowDown}{/Shift}{Delete}");
    await screen.findByText(/^What has arrived at your team is thrown away/);
  });

  it("changes where new files go", async () => {
    const host = await queue();
    const card = screen.getByRole("button", { name: /New files go to/ });
    await userEvent.click(card);
    await screen.findByRole("radio", { name: "Harbour" });
    // The keyboard does not get lost behind it.
    for (let tabs = 0; tabs < 9 && screen.queryByRole("radio"); tabs++) await userEvent.tab();
    expect(screen.queryByRole("radio")).toBeNull();
    expect(document.activeElement).toBe(card);
    await userEvent.click(card);
    await userEvent.click(await screen.findByRole("radio", { name: "Harbour" }));
    expect(host.asked).toEqual(["setDestination q"]);
  });

  it("tells that the key lives in memory, until it is told to be quiet", async () => {
    const host = new Recorder(QUEUE);
    host.shellView = { ...SHELL, teams: [{ url: "https://team.example/", openedBy: "key_in_memory" }] };
    await queue(host);
    const words = await screen.findByText(/this computer has no keychain/);
    await userEvent.click(within(words.closest(".banner") as HTMLElement).getByRole("button"));
    expect(screen.queryByText(/this computer has no keychain/)).toBeNull();
  });
});
