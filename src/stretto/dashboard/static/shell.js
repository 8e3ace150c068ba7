// The theme, and moments that stay right while a page is open.
"use strict";

const stretto = {
  themes: ["system", "light", "dark"],

  theme() {
    const kept = localStorage.getItem("stretto-theme");
    return this.themes.includes(kept) ? kept : "system";
  },

  turn() {
    const next = this.themes[(this.themes.indexOf(this.theme()) + 1) % this.themes.length];
    localStorage.setItem("stretto-theme", next);
    this.show();
  },

  show() {
    document.documentElement.dataset.theme = this.theme();
  },

  ago(seconds) {
    const many = Math.abs(seconds);
    if (many < 10) return seconds >= 0 ? "just now" : "in a moment";
    const [size, unit] = [[86400, "d"], [3600, "h"], [60, "min"], [1, "s"]].find(([size]) => many >= size);
    const told = `${Math.floor(many / size)} ${unit}`;
    return seconds >= 0 ? `${told} ago` : `in ${told}`;
  },

  span(seconds) {
    const whole = Math.floor(Math.max(seconds, 0));
    const two = (number) => String(number).padStart(2, "0");
    if (whole < 60) return `${whole} s`;
    if (whole < 3600) return `${Math.floor(whole / 60)}:${two(whole % 60)}`;
    if (whole < 86400) return `${Math.floor(whole / 3600)}h${two(Math.floor((whole % 3600) / 60))}`;
    return `${Math.floor(whole / 86400)}d${two(Math.floor((whole % 86400) / 3600))}h`;
  },

  tick() {
    const now = Date.now() / 1000;
    for (const time of document.querySelectorAll("time[data-relative]")) {
      const at = Date.parse(time.dateTime) / 1000;
      if (!Number.isFinite(at)) continue;
      const told = this.ago(now - at);
      if (time.textContent !== told) time.textContent = told;
      if (!time.dataset.local) {
        time.title = `${new Date(at * 1000).toLocaleString()} (${time.title})`;
        time.dataset.local = "yes";
      }
    }
    for (const time of document.querySelectorAll("time[data-since]")) {
      const told = this.span(now - Number(time.dataset.since));
      if (time.textContent !== told) time.textContent = told;
    }
  },
};

stretto.show();
document.addEventListener("DOMContentLoaded", () => setInterval(() => stretto.tick(), 1000));
