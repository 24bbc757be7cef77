import { describe, expect, it } from "vitest";
import type { ConnectionView } from "../bindings/ConnectionView";
import { healthOf, hostOf, type Team, teamsOf } from "./teams";

const HERE = {
  kind: "connected" as const,
  url: "http://127.0.0.1:4310/",
  protocol: "video_actions" as const,
  reachable: true,
  destination: null,
};
const NORTH = "https://north.example/";

function team(connection: ConnectionView | null, here = false): Team {
  return { url: NORTH, here, openedBy: here ? null : "browser", current: false, connection };
}

describe("teams", () => {
  it("are those that somebody signed in to, and the one on this computer", () => {
    const refused: ConnectionView = { kind: "refused", url: NORTH, code: "signed_out" };
    const teams = teamsOf(
      {
        server: { kind: "running", url: HERE.url },
        teams: [
          { url: NORTH, openedBy: "browser" },
          { url: "https://late.example/", openedBy: "kept_key" },
        ],
      },
      [HERE, refused, { ...HERE, url: "https://new.example/" }],
      refused,
    );
    expect(teams.map(({ url, here, current }) => [hostOf(url), here, current])).toEqual([
      ["127.0.0.1:4310", true, false],
      ["north.example", false, true],
      ["late.example", false, false],
    ]);
    expect(teams.map(healthOf).map(({ words }) => words)).toEqual([
      "team.connected",
      "team.signed_out",
      "team.connecting",
    ]);
  });

  it("say what is wrong, and whether somebody has to sign in", () => {
    const away = { ...HERE, url: NORTH, reachable: false };
    expect(healthOf(team(away))).toMatchObject({ tone: "attention", words: "team.away", signIn: false });
    expect(healthOf(team(away, true)), "the server on this computer is starting").toMatchObject({
      tone: "quiet",
      words: "team.connecting",
    });
    const refused = (code: "signed_out" | "not_connected" | "unreachable"): Team =>
      team({ kind: "refused", url: NORTH, code });
    expect(healthOf(refused("signed_out")).signIn).toBe(true);
    expect(healthOf(refused("not_connected"))).toMatchObject({ tone: "quiet", signIn: false });
    expect(healthOf(refused("unreachable")).words).toBe("error.unreachable.what");
    expect(healthOf(team(null)).words).toBe("team.connecting");
  });
});
