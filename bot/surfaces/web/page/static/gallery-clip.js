// A clip's own page: plays where motion is welcome, tells times as people here do, and Escape leads to the wall.

import { beginWhenUncovered, localTime, start } from "./gallery-parts.js";

for (const time of document.querySelectorAll("time")) time.textContent = localTime(time.dateTime);
for (const video of document.querySelectorAll("video[data-play]")) start(video);
for (const cloth of document.querySelectorAll("details.cover")) beginWhenUncovered(cloth);
document.addEventListener("keydown", (event) => {
  if (event.key === "Escape" && !document.fullscreenElement) location.assign("/gallery");
});
