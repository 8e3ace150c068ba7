// Keys of the inbox, and the guard against what nobody meant: a second click, a held key, a card that moved.
"use strict";

stretto.inbox = {
  calm: 0, // until then nothing is decided: whoever decided just now has not seen what comes next

  open() {
    return [...document.querySelectorAll("article.request:not([data-settled])")];
  },

  current() {
    return document.activeElement?.closest?.("article.request") ?? null;
  },

  go(card) {
    if (!card) return;
    card.focus({ preventScroll: true });
    card.scrollIntoView({ block: "nearest" });
  },

  step(by) {
    const cards = this.open();
    const at = cards.indexOf(this.current());
    this.go(cards[at < 0 ? 0 : Math.min(Math.max(at + by, 0), cards.length - 1)]);
  },

  settled(card) {
    this.calm = performance.now() + 700;
    const cards = this.open();
    const later = cards.find((one) => card.compareDocumentPosition(one) & Node.DOCUMENT_POSITION_FOLLOWING);
    this.go(later ?? cards.at(-1) ?? card);
  },

  press(key) {
    const card = this.current();
    if (!card) return this.go(this.open()[0]);
    if (!card.dataset.settled) card.querySelector(`[data-key="${key}"]`)?.click();
  },
};

document.addEventListener(
  "click",
  (event) => {
    if (!event.target.closest?.("[data-decides]")) return;
    if (event.detail > 1 || performance.now() < stretto.inbox.calm) {
      event.preventDefault();
      event.stopImmediatePropagation();
    }
  },
  true,
);

document.addEventListener("keydown", (event) => {
  if (!document.querySelector(".requests") || event.repeat || document.querySelector("dialog[open]")) return;
  const written = event.target.closest?.("input, textarea, select");
  if (event.key === "Escape" && written) return stretto.inbox.press("Escape");
  if (event.key === "Enter" && (event.ctrlKey || event.metaKey) && written) {
    return written.closest("article.request")?.querySelector("[data-submit]")?.click();
  }
  if (event.ctrlKey || event.metaKey || event.altKey || written) return;
  if (event.key === "j") stretto.inbox.step(1);
  else if (event.key === "k") stretto.inbox.step(-1);
  else if (event.key === "a" || event.key === "d") {
    event.preventDefault();
    stretto.inbox.press(event.key);
  }
});
