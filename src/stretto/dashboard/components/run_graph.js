// A graph of boxes and lines in SVG. What it shows is computed by the server; here it is drawn, moved and walked.
// All texts are set as text nodes.

const SVG = "http://www.w3.org/2000/svg";
const CHARACTER = 7.1; // pixels of a letter of a name, on average
const LEAST_ZOOM = 0.04;
const READABLE = 0.8; // what is drawn at first is never smaller
const MOST_ZOOM = 2;

function make(name, attributes = {}, parent = null, text = null) {
  const made = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  if (text !== null) made.textContent = text;
  parent?.append(made);
  return made;
}

function fitted(text, width) {
  const most = Math.max(4, Math.floor(width / CHARACTER));
  return text.length <= most ? text : `${text.slice(0, most - 1)}…`;
}

export default {
  template: `
    <div class="graph">
      <div class="tools">
        <button type="button" class="button quiet" @click="zoom(1.25)" aria-label="Larger">+</button>
        <button type="button" class="button quiet" @click="zoom(0.8)" aria-label="Smaller">−</button>
        <button type="button" class="button quiet" @click="fit(true)">Fit</button>
      </div>
      <div class="canvas" ref="canvas"></div>
    </div>`,
  props: { picture: Object, looks: Object, critical: Array, label: String },

  mounted() {
    this.draw();
    this.watcher = new ResizeObserver(() => this.touched || this.fit());
    this.watcher.observe(this.$refs.canvas);
  },
  beforeUnmount() {
    this.watcher?.disconnect();
  },

  methods: {
    // ---- drawing
    draw() {
      this.now = { picture: this.picture, looks: { ...this.looks }, critical: this.critical };
      this.build();
      this.fit();
    },
    replace(picture, looks, critical) {
      const focused = this.focused();
      this.now = { picture, looks, critical };
      this.build();
      if (!this.touched) this.fit();
      else this.place();
      if (focused && this.parts.has(focused)) this.parts.get(focused).link.focus();
    },
    open(picture, looks, critical) {
      this.touched = false;
      this.replace(picture, looks, critical);
      this.parts.values().next().value?.link.focus({ preventScroll: true });
    },
    patch(looks, critical) {
      Object.assign(this.now.looks, looks);
      for (const id of Object.keys(looks)) this.dress(id);
      if (critical) {
        this.now.critical = critical;
        this.mark();
      }
    },
    build() {
      const { picture } = this.now;
      this.parts = new Map();
      this.lines = new Map();
      this.after = new Map();
      this.before = new Map();
      const svg = make("svg", { role: "group", "aria-label": this.label, class: "picture" });
      const world = make("g", {}, svg);
      const lines = make("g", { class: "lines", "aria-hidden": "true" }, world);
      for (const line of picture.lines) {
        this.lines.set(`${line.before}\n${line.after}`, make("path", { d: line.path }, lines));
        if (!this.after.has(line.before)) this.after.set(line.before, []);
        if (!this.before.has(line.after)) this.before.set(line.after, []);
        this.after.get(line.before).push(line.after);
        this.before.get(line.after).push(line.before);
      }
      const boxes = make("g", { class: "boxes" }, world);
      for (const box of picture.boxes) this.box(box, boxes);
      for (const id of this.parts.keys()) this.dress(id);
      this.$refs.canvas.replaceChildren(svg);
      Object.assign(this, { svg, world });
      this.mark();
      this.rove(picture.boxes[0]?.id);
      this.listen(svg);
    },
    box(box, parent) {
      const link = make("a", { class: "box", transform: `translate(${box.x} ${box.y})`, tabindex: "-1" }, parent);
      link.setAttribute("href", box.opens ? "#" : this.address(box.id));
      if (box.opens) link.setAttribute("role", "button");
      make("rect", { width: box.width, height: box.height, rx: 8, class: "back" }, link);
      make("rect", { width: 4, height: box.height - 16, x: 6, y: 8, rx: 2, class: "side" }, link);
      const sign = make("text", { x: 18, y: 18, class: "sign" }, link);
      make("text", { x: 34, y: 18, class: "name" }, link, fitted(box.name, box.width - (box.opens ? 60 : 42)));
      if (box.opens) make("text", { x: box.width - 12, y: 18, class: "more", "text-anchor": "end" }, link, "⊞");
      const below = make("text", { x: 18, y: 34, class: "below" }, link);
      const shares = make("g", { transform: `translate(18 ${box.height - 6})` }, link);
      const title = make("title", {}, link);
      link.addEventListener("click", (event) => {
        if (this.dragged) return event.preventDefault();
        if (!box.opens) return;
        event.preventDefault();
        this.$emit("opened", box.opens);
      });
      link.addEventListener("focus", () => this.show(box));
      this.parts.set(box.id, { box, link, sign, below, shares, title });
    },
    address(id) {
      return `/runs/${encodeURIComponent(this.now.picture.run)}?tab=tasks&task=${encodeURIComponent(id)}`;
    },
    dress(id) {
      const part = this.parts.get(id);
      const look = this.now.looks[id];
      if (!part || !look) return;
      part.link.dataset.tone = look.tone;
      part.link.classList.toggle("critical", look.critical);
      part.sign.textContent = look.sign;
      part.below.textContent = fitted(look.below, part.box.width - 24);
      const told = [part.box.name, look.word, look.below, look.note, look.critical ? "on the critical path" : ""];
      part.title.textContent = told.filter(Boolean).join("\n");
      const waits = this.before.get(id) ?? [];
      const after = waits.length ? `after ${waits.slice(0, 5).join(", ")}${waits.length > 5 ? " and more" : ""}` : "";
      const opens = part.box.opens ? "opens" : "";
      part.link.setAttribute("aria-label", [...told, after, opens].filter(Boolean).join(", "));
      part.shares.replaceChildren();
      let x = 0;
      const room = part.box.width - 30;
      for (const [tone, share] of look.shares) {
        make("rect", { x, width: Math.max(room * share - 1, 1), height: 3, rx: 1.5, "data-tone": tone }, part.shares);
        x += room * share;
      }
    },
    mark() {
      const critical = new Set(this.now.critical);
      for (const [id, line] of this.lines) line.classList.toggle("critical", critical.has(id));
    },

    // ---- moving
    place() {
      const { x, y, scale } = this.view;
      this.world.setAttribute("transform", `translate(${x} ${y}) scale(${scale})`);
      this.svg.classList.toggle("far", scale < 0.45);
    },
    fit(whole = false) {
      const { width, height } = this.now.picture;
      const { canvas } = this.$refs;
      if (!canvas.clientWidth) return;
      const pad = 20;
      const needed = height * Math.min(1, (canvas.clientWidth - 2 * pad) / Math.max(width, 1)) + 2 * pad + 40;
      canvas.style.height = `${Math.round(Math.max(220, Math.min(needed, 0.68 * window.innerHeight)))}px`;
      const { clientWidth, clientHeight } = canvas;
      const seen = Math.min((clientWidth - 2 * pad) / Math.max(width, 1), (clientHeight - 2 * pad) / Math.max(height, 1));
      const scale = Math.max(whole ? LEAST_ZOOM : READABLE, Math.min(1, seen));
      this.view = {
        scale,
        x: Math.max(pad, (clientWidth - width * scale) / 2),
        y: Math.max(pad, (clientHeight - height * scale) / 2),
      };
      this.touched = false;
      this.place();
    },
    zoom(factor, around = null) {
      const { clientWidth, clientHeight } = this.$refs.canvas;
      const [cx, cy] = around ?? [clientWidth / 2, clientHeight / 2];
      const scale = Math.max(LEAST_ZOOM, Math.min(MOST_ZOOM, this.view.scale * factor));
      const by = scale / this.view.scale;
      this.view = { scale, x: cx - (cx - this.view.x) * by, y: cy - (cy - this.view.y) * by };
      this.touched = true;
      this.place();
    },
    show(box) {
      const { clientWidth, clientHeight } = this.$refs.canvas;
      const { scale } = this.view;
      const left = this.view.x + box.x * scale;
      const top = this.view.y + box.y * scale;
      const pad = 24;
      const dx = Math.max(pad - left, 0) || Math.min(clientWidth - pad - (left + box.width * scale), 0);
      const dy = Math.max(pad - top, 0) || Math.min(clientHeight - pad - (top + box.height * scale), 0);
      if (!dx && !dy) return;
      this.view.x += dx;
      this.view.y += dy;
      this.touched = true;
      this.place();
    },
    listen(svg) {
      const pointers = new Map();
      svg.addEventListener("wheel", (event) => {
        if (!event.ctrlKey && !event.metaKey) return; // the page scrolls
        event.preventDefault();
        const { left, top } = svg.getBoundingClientRect();
        this.zoom(Math.exp(-event.deltaY / 300), [event.clientX - left, event.clientY - top]);
      }, { passive: false });
      svg.addEventListener("pointerdown", (event) => {
        pointers.set(event.pointerId, [event.clientX, event.clientY]);
        this.dragged = false;
      });
      svg.addEventListener("pointermove", (event) => {
        const was = pointers.get(event.pointerId);
        if (!was) return;
        const dx = event.clientX - was[0];
        const dy = event.clientY - was[1];
        if (!this.dragged && Math.hypot(dx, dy) < 4) return;
        if (!this.dragged) svg.setPointerCapture(event.pointerId);
        this.dragged = this.touched = true;
        if (pointers.size === 2) {
          const [other] = [...pointers].filter(([id]) => id !== event.pointerId).map(([, at]) => at);
          const far = Math.hypot(was[0] - other[0], was[1] - other[1]);
          const { left, top } = svg.getBoundingClientRect();
          const middle = [(event.clientX + other[0]) / 2 - left, (event.clientY + other[1]) / 2 - top];
          if (far) this.zoom(Math.hypot(event.clientX - other[0], event.clientY - other[1]) / far, middle);
        } else {
          this.view.x += dx;
          this.view.y += dy;
          this.place();
        }
        pointers.set(event.pointerId, [event.clientX, event.clientY]);
      });
      for (const over of ["pointerup", "pointercancel"]) {
        svg.addEventListener(over, (event) => {
          pointers.delete(event.pointerId);
          setTimeout(() => (this.dragged = false));
        });
      }
      svg.addEventListener("dragstart", (event) => event.preventDefault());
      svg.addEventListener("keydown", (event) => this.key(event));
    },

    // ---- walking
    focused() {
      for (const [id, part] of this.parts ?? []) if (part.link === document.activeElement) return id;
      return null;
    },
    rove(id) {
      if (this.roving && this.parts.has(this.roving)) this.parts.get(this.roving).link.setAttribute("tabindex", "-1");
      this.roving = id;
      this.parts.get(id)?.link.setAttribute("tabindex", "0");
    },
    go(id) {
      if (!id) return;
      this.rove(id);
      this.parts.get(id).link.focus();
    },
    key(event) {
      const id = this.focused();
      if (!id || event.altKey || event.ctrlKey || event.metaKey) return;
      const { box } = this.parts.get(id);
      const boxes = this.now.picture.boxes;
      const column = boxes.filter((one) => one.column === box.column).sort((one, other) => one.y - other.y);
      const place = column.indexOf(box);
      const near = (ids) => ids?.map((one) => this.parts.get(one).box).sort((one, other) => Math.abs(one.y - box.y) - Math.abs(other.y - box.y))[0]?.id;
      const beside = (step) => near(boxes.filter((one) => one.column === box.column + step).map((one) => one.id));
      const free = !this.lines.size;
      const moves = {
        ArrowRight: () => near(this.after.get(id)) ?? (free && beside(1)),
        ArrowLeft: () => near(this.before.get(id)) ?? (free && beside(-1)),
        ArrowDown: () => column[place + 1]?.id,
        ArrowUp: () => column[place - 1]?.id,
        Home: () => boxes[0].id,
        End: () => boxes[boxes.length - 1].id,
        " ": () => (this.parts.get(id).link.dispatchEvent(new MouseEvent("click", { cancelable: true, bubbles: true })), null),
        Enter: box.opens ? () => (this.$emit("opened", box.opens), null) : null,
        Escape: () => (this.$emit("opened", ""), null),
        "+": () => (this.zoom(1.25), null),
        "-": () => (this.zoom(0.8), null),
        0: () => (this.fit(true), null),
      };
      if (!moves[event.key]) return;
      event.preventDefault();
      this.go(moves[event.key]());
    },
  },
};
