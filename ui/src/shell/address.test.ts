import { expect, it } from "vitest";
import { addressOf, isHere } from "./address";

it.each([
  ["https://team.example", "https://team.example"],
  [" http://10.0.0.7:3210/ ", "http://10.0.0.7:3210/"],
  ["team.example", "https://team.example"],
  ["team.example:8443/api", "https://team.example:8443/api"],
  ["studio", "https://studio"],
  ["localhost:3210", "http://localhost:3210"],
  ["127.0.0.1", "http://127.0.0.1"],
  ["[::1]:3210", "http://[::1]:3210"],
  ["localhost.example", "https://localhost.example"],
  ["", null],
  ["my team", null],
  ["ftp://team.example", null],
  ["mailto:mia@team.example", null],
  ["https://mia:secret@team.example", null],
])("%j means the team server at %j", (typed, address) => {
  expect(addressOf(typed)).toBe(address);
});

it.each([
  ["http://127.0.0.1:3210/", true],
  ["http://[::1]:3210/", true],
  ["http://localhost/", true],
  ["http://10.0.0.7:3210/", false],
  ["https://localhost.example/", false],
  ["https://team.example/?at=127.0.0.1", false],
])("%j is on this computer: %j", (server, here) => {
  expect(isHere(server)).toBe(here);
});
