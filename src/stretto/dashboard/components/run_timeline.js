// Lines of bars over time. Only the lines in sight are in the page; all texts are set as text.

const LINE = 26;
const AHEAD = 8; // lines drawn beyond what is seen
const STEPS = [0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14400, 43200, 86400];

function told(seconds) {
  if (seconds < 0.9995) return `${Math.round(seconds * 1000)} ms`;
  if (seconds < 9.95) return `${seconds.toFixed(1)} s`;
  return stretto.span(seconds);
}

function tick(seconds, step) {
  if (seconds === 0) return "0";
  if (step < 1) return `${seconds.toFixed(step < 0.1 ? 2 : 1)} s`;
  return stretto.span(Math.round(seconds));
}

function make(tag, classes, parent, text = null) {
  const made = document.createElement(tag);
  if (classes) made.className = classes;
  if (text !== null) made.textContent = text;
  parent?.append(made);
  return made;
}

const WORDS = {
  done: "worked",
  failed: "failed or was withdrawn",
  open: "is working",
  person: "waited for a person",
  wait: "waited to begin",
};

export default {
  template: `
    <div class="timeline">
      <div class="tools">
        <button type="button" class="button quiet" @click="zoom(1.6)" aria-label="Larger">+</button>
        <button type="button" class="button quiet" @click="zoom(1 / 1.6)" aria-label="Smaller">−</button>
        <button type="button" class="button quiet" @click="fit()">Fit</button>
      </div>
      <div class="frame" ref="frame" tabindex="0" role="region" aria-label="Timeline; the same stands below as a list">
        <div class="axis" ref="axis"></div>
        <div class="lines" ref="lines"></div>
      </div>
    </div>`,
  props: { run: String, lines: Object, length: Number, ended: Boolean, begin: Number },

  mounted() {
    this.scale = 1;
    this.all = new Map(Object.entries(this.lines));
    this.told = { length: this.length, ended: this.ended, at: performance.now() };
    this.drawn = new Map();
    this.$refs.frame.addEventListener("scroll", () => this.later(), { passive: true });
    this.$refs.frame.addEventListener("wheel", (event) => {
      if (!event.ctrlKey && !event.metaKey) return;
      event.preventDefault();
      this.zoom(Math.exp(-event.deltaY / 300), event.clientX);
    }, { passive: false });
    this.$refs.frame.addEventListener("keydown", (event) => {
      const keys = { "+": () => this.zoom(1.6), "-": () => this.zoom(1 / 1.6), 0: () => this.fit() };
      if (!keys[event.key] || event.ctrlKey || event.metaKey || event.altKey) return;
      event.preventDefault();
      keys[event.key]();
    });
    this.watcher = new ResizeObserver(() => this.draw(true));
    this.watcher.observe(this.$refs.frame);
    this.clock = setInterval(() => this.told.ended || this.draw(true), 500);
    this.draw(true);
  },
  beforeUnmount() {
    this.watcher?.disconnect();
    clearInterval(this.clock);
  },

  methods: {
    patch(lines, gone, length, ended) {
      for (const task of gone) this.all.delete(task);
      for (const [task, line] of Object.entries(lines)) this.all.set(task, line);
      this.told = { length, ended, at: performance.now() };
      this.draw(true);
    },
    span() {
      const { length, ended, at } = this.told;
      return Math.max(0.001, ended ? length : length + (performance.now() - at) / 1000);
    },
    measure() {
      const { frame } = this.$refs;
      const names = frame.clientWidth < 560 ? 118 : 240;
      const room = Math.max(frame.clientWidth - names - 76, 80);
      return { names, room: room * this.scale, per: (room * this.scale) / this.span() };
    },
    zoom(factor, clientX = null) {
      const { frame } = this.$refs;
      const { names } = this.measure();
      const rect = frame.getBoundingClientRect();
      const at = (clientX === null ? frame.clientWidth / 2 : clientX - rect.left) - names;
      const share = (frame.scrollLeft + at) / this.measure().room;
      this.scale = Math.max(1, Math.min(4000, this.scale * factor));
      this.draw(true);
      frame.scrollLeft = share * this.measure().room - at;
    },
    fit() {
      this.scale = 1;
      this.draw(true);
    },
    later() {
      if (this.waiting) return;
      this.waiting = true;
      requestAnimationFrame(() => {
        this.waiting = false;
        this.draw(false);
      });
    },
    draw(anew) {
      const { frame, lines, axis } = this.$refs;
      if (!frame?.clientWidth) return;
      const size = this.measure();
      const tasks = [...this.all.keys()];
      const first = Math.max(0, Math.floor(frame.scrollTop / LINE) - AHEAD);
      const last = Math.min(tasks.length, Math.ceil((frame.scrollTop + frame.clientHeight) / LINE) + AHEAD);
      lines.style.height = `${tasks.length * LINE}px`;
      lines.style.width = axis.style.width = `${size.names + size.room + 70}px`;
      this.scaleOf(axis, size, frame);
      if (anew) {
        for (const row of this.drawn.values()) row.dataset.old = "yes";
      }
      const wanted = new Map(tasks.slice(first, last).map((task, place) => [task, first + place]));
      for (const [task, row] of this.drawn) {
        if (wanted.has(task)) continue;
        row.remove();
        this.drawn.delete(task);
      }
      for (const [task, place] of wanted) {
        let row = this.drawn.get(task);
        if (row && !row.dataset.old) continue;
        if (!row) {
          row = make("div", "line", lines);
          const link = make("a", "name", row);
          link.href = `/runs/${encodeURIComponent(this.run)}?tab=tasks&task=${encodeURIComponent(task)}`;
          this.drawn.set(task, row);
        }
        delete row.dataset.old;
        row.style.top = `${place * LINE}px`;
        this.fill(row, this.all.get(task), size);
      }
    },
    fill(row, line, size) {
      const [link] = row.children;
      link.textContent = link.title = line.name;
      link.style.width = `${size.names - 12}px`;
      while (row.children.length > 1) row.lastChild.remove();
      const now = this.span();
      let right = 0;
      for (const [what, begin, end, who, attempt] of line.bars) {
        const until = end ?? now;
        const left = size.names + begin * size.per;
        const wide = Math.max((until - begin) * size.per, what === "wait" ? 1 : 3);
        const bar = make("span", `bar ${what}`, row);
        bar.style.left = `${left}px`;
        bar.style.width = `${wide}px`;
        right = Math.max(right, left + wide);
        const by = who && what !== "wait" ? `${who}, attempt ${attempt}: ` : "";
        bar.title = `${by}${WORDS[what]} ${told(until - begin)}, from ${told(begin)} on${what === "wait" && who ? `, after ${who}` : ""}`;
        if (wide > 70 && who && what !== "wait") bar.textContent = attempt > 1 ? `${who} ×${attempt}` : who;
      }
      const words = line.tries ? `${told(line.worked)}${line.tries > 1 ? ` ×${line.tries}` : ""}` : "";
      const took = make("span", "took", row, words);
      took.style.left = `${right + 6}px`;
    },
    scaleOf(axis, size, frame) {
      axis.replaceChildren();
      const step = STEPS.find((one) => one * size.per >= 80) ?? 86400 * Math.ceil(80 / (86400 * size.per));
      const from = Math.max(0, Math.floor(frame.scrollLeft / size.per / step) - 1);
      const to = Math.min(this.span() / step, (frame.scrollLeft + frame.clientWidth) / size.per / step + 1);
      for (let place = from; place <= to; place += 1) {
        make("span", "tick", axis, tick(place * step, step)).style.left = `${size.names + place * step * size.per}px`;
      }
    },
  },
};
