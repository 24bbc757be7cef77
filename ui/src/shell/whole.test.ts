import { beforeEach, expect, it, vi } from "vitest";
import { tellWhole } from "./whole";

let width: number;

beforeEach(() => {
  // jsdom lays nothing out.
  vi.spyOn(HTMLElement.prototype, "clientWidth", "get").mockReturnValue(80);
  vi.spyOn(HTMLElement.prototype, "scrollWidth", "get").mockImplementation(() => width);
  document.body.innerHTML = `<p title="of all">
    <span class="cut" id="name"><bdi>A003_C012 </bdi>  wide</span>
    <span class="cut" id="path" title="/footage/reel.mov">reel.mov</span>
  </p>`;
  return tellWhole(document.body);
});

function point(at: string): string {
  const one = document.querySelector(at);
  one?.dispatchEvent(new Event("pointerover", { bubbles: true }));
  return one?.closest<HTMLElement>("[title]")?.title ?? "";
}

it("says what is cut whole, as long as it is cut", () => {
  width = 200;
  expect(point("#name bdi")).toBe("A003_C012 wide");
  width = 80;
  expect(point("#name bdi")).toBe("of all");
});

it("leaves what is said already", () => {
  width = 200;
  expect(point("#path")).toBe("/footage/reel.mov");
});
