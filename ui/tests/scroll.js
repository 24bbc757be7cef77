// The body of a function that the page runs: it scrolls the queue as by a wheel, then throws it about, and returns
// how many ms each frame lasted. With an empty queue nothing moves.
const view = document.querySelector("main [role=grid]") ?? document.createElement("div");
const lasted = [];
const frame = () => new Promise((resolve) => requestAnimationFrame(resolve));
let last = await frame();
for (let step = 0; step < 360; step++) {
  view.scrollTop += step < 240 ? 120 : Math.sin(step) * view.scrollHeight;
  const now = await frame();
  lasted.push(now - last);
  last = now;
}
return lasted;
