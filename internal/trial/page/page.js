"use strict";
(() => {
  const d = JSON.parse(document.getElementById("data").textContent);
  const n = d.call.length, canvas = document.getElementById("c"), g = canvas.getContext("2d");
  const tip = document.getElementById("tip"), kept = document.getElementById("kept"), stage = document.getElementById("stage");
  const css = name => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
  const probe = document.createElement("span");
  document.body.append(probe);
  const colour = name => { probe.style.color = `var(${name})`; return getComputedStyle(probe).color; };
  let paint = {};
  function colours() {
    for (const k of ["page", "raised", "ink", "soft", "rule", "link", "fail", "ok", "okline", "failed", "failedline", "maybe", "maybeline", "band", "bandline"]) paint[k] = colour("--" + k);
    paint.fill = [paint.maybe, paint.ok, paint.failed];
    paint.line = [paint.maybeline, paint.okline, paint.failedline];
  }
  const LEFT = 90, lane = d.placed && d.state.length > 0, TOP = lane ? 76 : d.events.length ? 58 : 36, ROW = 26;
  // Two axes: time, and the order of calls and returns, in which short operations are as wide as long ones.
  const timed = d.timed;
  const ends = [...new Set([...d.call, ...d.ret])].sort((a, b) => a - b);
  const rank = t => { let lo = 0, hi = ends.length; while (lo < hi) { const m = (lo + hi) >> 1; if (ends[m] < t) lo = m + 1; else hi = m; } return lo < ends.length && lo > 0 && ends[lo] !== t ? lo - 1 + (t - ends[lo - 1]) / (ends[lo] - ends[lo - 1]) : lo; };
  const axes = [
    { name: "time", call: Float64Array.from(d.call), ret: Float64Array.from(d.ret), of: t => t },
    { name: "order of calls and returns", call: Float64Array.from(d.call, rank), ret: Float64Array.from(d.ret, rank), of: rank },
  ];
  let axis = !timed || ends.length < 400 ? axes[1] : axes[0];
  const hit = new Uint8Array(n);
  for (const i of d.witness) hit[i] = 1;
  // Rows: operations of a client, in order of call. A row's reach is how far its operations up to one go.
  const rows = d.clients.map(() => []);
  for (let i = 0; i < n; i++) rows[d.client[i]].push(i);
  let from = 0, to = 1, scroll = 0, width = 0, height = 0, found = new Set(), at = -1, over = -1, keep = -1, wanted = false;
  const lo = () => axis.of(ends[0]), hi = () => axis.of(ends[ends.length - 1]);
  const x = v => LEFT + (v - from) / (to - from) * (width - LEFT), back = px => from + (px - LEFT) / (width - LEFT) * (to - from);
  const y = row => TOP + row * ROW - scroll;
  const clock = ns => { const s = Math.abs(ns); return s >= 1e9 ? (ns / 1e9).toFixed(3) + " s" : s >= 1e6 ? (ns / 1e6).toFixed(3) + " ms" : s >= 1e3 ? (ns / 1e3).toFixed(3) + " µs" : ns + " ns"; };

  function fit() { const pad = Math.max((hi() - lo()) * 0.01, 0.5); from = lo() - pad; to = hi() + pad; ask(); }
  function resize() {
    const ratio = window.devicePixelRatio || 1;
    width = stage.clientWidth;
    height = Math.min(TOP + rows.length * ROW + 8, Math.max(300, window.innerHeight * 0.72));
    canvas.style.height = height + "px";
    canvas.width = width * ratio; canvas.height = height * ratio;
    g.setTransform(ratio, 0, 0, ratio, 0, 0);
    ask();
  }
  function ask() { if (!wanted) { wanted = true; requestAnimationFrame(() => { wanted = false; draw(); }); } }
  function first(list, value, key) { let a = 0, b = list.length; while (a < b) { const m = (a + b) >> 1; if (key[list[m]] < value) a = m + 1; else b = m; } return a; }

  function draw() {
    g.fillStyle = paint.page; g.fillRect(0, 0, width, height);
    g.font = "13px system-ui, 'Noto Sans', 'DejaVu Sans', sans-serif"; g.textBaseline = "middle";
    const end = Math.min(rows.length, Math.ceil((height - TOP + scroll) / ROW)), start = Math.max(0, Math.floor(scroll / ROW));
    bands();
    for (let row = start; row < end; row++) operations(row);
    if (d.placed && d.order.length) points(start, end);
    if (d.prefix) { const px = x(axis.of(d.until)); if (px >= LEFT && px <= width) { g.fillStyle = paint.fail; g.fillRect(px, 36, 2, height); } }
    g.fillStyle = paint.page; g.fillRect(0, 0, LEFT, height); g.fillRect(0, 0, width, TOP - 2);
    bandNames(); ruler(); states();
    if (d.prefix) { const px = x(axis.of(d.until)); if (px >= LEFT && px <= width) { g.fillStyle = paint.fail; g.fillRect(px, 36, 2, 18); g.fillText(short("the good prefix ends", width - px - 8), px + 6, lane ? 45 : TOP - 12); } }
    g.fillStyle = paint.soft;
    for (let row = start; row < end; row++) if (y(row) >= TOP - ROW / 2) g.fillText(short(d.clients[row], LEFT - 12), 8, y(row) + ROW / 2);
    g.fillStyle = paint.page; g.fillRect(0, 0, LEFT, TOP - 2);
    g.fillStyle = paint.soft; g.fillText("client", 8, TOP - 12);
    if (lane) g.fillText("state", 8, 44);
    if (d.events.length) g.fillText("faults", 8, 26);
    g.strokeStyle = paint.rule; g.beginPath(); g.moveTo(0, TOP - 1.5); g.lineTo(width, TOP - 1.5); g.moveTo(LEFT - .5, 0); g.lineTo(LEFT - .5, height); g.stroke();
  }
  function short(text, room) {
    if (g.measureText(text).width <= room) return text;
    let cut = Math.max(1, Math.floor(room / 7.2));
    return cut < 3 ? "" : text.slice(0, cut - 1) + "…";
  }
  function bands() {
    for (const b of d.bands) {
      const a = Math.max(LEFT, x(axis.of(b.from))), z = Math.min(width, x(axis.of(b.to)));
      if (z < LEFT || a > width) continue;
      g.fillStyle = paint.band; g.fillRect(a, 18, Math.max(1, z - a), height);
    }
    g.strokeStyle = paint.bandline; g.setLineDash([3, 3]); g.beginPath();
    let last = -9;
    for (const e of d.events) { const px = x(axis.of(e.at)); if (px >= LEFT && px <= width && px - last > 1) { g.moveTo(px, 18); g.lineTo(px, height); last = px; } }
    g.stroke(); g.setLineDash([]);
  }
  function bandNames() {
    let free = LEFT;
    for (const b of d.bands) { const a = Math.max(LEFT, x(axis.of(b.from))), z = Math.min(width, x(axis.of(b.to))); if (z > LEFT && a < width) { g.fillStyle = paint.band; g.fillRect(a, 18, Math.max(1, z - a), 17); } }
    const seen = d.events.map(e => [x(axis.of(e.at)), e.name]).filter(([px]) => px >= LEFT && px <= width);
    for (let k = 0; k < seen.length; k++) {
      const [px, name] = seen[k], next = seen.find(([other], j) => j > k && other > px + 3);
      g.fillStyle = paint.bandline; g.fillRect(px - 1, 18, 2, 16);
      const text = px >= free ? short(name, Math.min(180, (next ? next[0] : width) - px - 8)) : "";
      if (text) { g.fillStyle = paint.ink; g.fillText(text, px + 4, 26); free = px + g.measureText(text).width + 10; }
    }
  }
  function ruler() {
    const span = to - from, raw = span / Math.max(2, (width - LEFT) / 130), ten = 10 ** Math.floor(Math.log10(raw));
    let step = [1, 2, 5, 10].map(k => k * ten).find(s => s >= raw);
    if (axis === axes[1]) step = Math.max(1, Math.round(step));
    g.fillStyle = paint.soft; g.strokeStyle = paint.rule; g.beginPath();
    for (let v = Math.ceil(from / step) * step; v <= to; v += step) {
      const px = x(v), i = Math.round(v);
      const text = axis === axes[0] ? clock(v) : i >= 0 && i < ends.length ? timed ? clock(ends[i]) : "event " + (i + 1) : "";
      if (px > LEFT && text) { g.moveTo(px, 0); g.lineTo(px, 6); g.fillText(text, px + 3, 9); }
    }
    g.stroke();
  }
  function operations(row) {
    const list = rows[row], top = y(row) + 3, tall = ROW - 6, call = axis.call, ret = axis.ret;
    g.strokeStyle = paint.rule; g.beginPath(); g.moveTo(LEFT, y(row) + ROW - .5); g.lineTo(width, y(row) + ROW - .5); g.stroke();
    // Operations of one client do not overlap, so the one before the first in sight is the only one that may reach into it.
    let drawn = -1, look = -1;
    const thin = [new Path2D(), new Path2D(), new Path2D()];
    for (let k = Math.max(0, first(list, from, call) - 1); k < list.length; k++) {
      const i = list[k];
      if (call[i] > to) break;
      let a = x(call[i]), z = x(ret[i]);
      if (z < LEFT) continue;
      const special = hit[i] || i === keep || found.has(i);
      const kind = d.outcome[i];
      if (z - a < 2 && !special) {
        const px = Math.floor(a);
        if (px === drawn && kind === look) { // a pixel that is full already: go on at the next
          const next = back(px + 1);
          while (k + 16 < list.length && ret[list[k + 16]] < next && d.outcome[list[k + 16]] === kind) k += 16;
          continue;
        }
        drawn = px; look = kind;
        thin[kind].rect(px, top, 1.5, tall);
        continue;
      }
      a = Math.max(a, LEFT - 3); z = Math.min(Math.max(z, a + 2), width + 3);
      g.fillStyle = paint.fill[kind]; g.fillRect(a, top, z - a, tall);
      g.strokeStyle = paint.line[kind]; g.lineWidth = 1;
      if (kind !== 1) g.setLineDash(kind === 0 ? [5, 3] : [2, 2]);
      g.strokeRect(a + .5, top + .5, z - a - 1, tall - 1); g.setLineDash([]);
      if (special) { g.strokeStyle = hit[i] ? paint.fail : paint.link; g.lineWidth = 3; g.strokeRect(a - 1, top - 1, z - a + 2, tall + 2); g.lineWidth = 1; }
      if (z - a > 24) { g.fillStyle = paint.ink; g.fillText(short(d.text[i], z - a - 10), a + 5, top + tall / 2 + 1); }
    }
    for (const kind of [0, 1, 2]) { g.fillStyle = paint.line[kind]; g.fill(thin[kind]); }
    for (const i of d.witness) { // also where its pixel was full
      if (d.client[i] !== row || ret[i] < from || call[i] > to) continue;
      const a = Math.max(x(call[i]), LEFT - 3), z = Math.min(Math.max(x(ret[i]), a + 2), width + 3);
      g.strokeStyle = paint.fail; g.lineWidth = 3; g.strokeRect(a - 1, top - 1, z - a + 2, tall + 2); g.lineWidth = 1;
    }
  }
  let pointAt = null;
  function place() { // where each operation of the order took effect: as early as it can
    let now = -Infinity;
    pointAt = axes.map(() => new Float64Array(d.placed ? d.order.length : 0));
    if (!d.placed) return; // an order that is not of real time has no place on the axis
    for (let k = 0; k < d.order.length; k++) {
      const i = d.order[k], next = Math.max(now, d.call[i]);
      now = next;
      for (const a of [0, 1]) pointAt[a][k] = axes[a].of(next);
    }
    for (const a of [0, 1]) { // those at one instant are spread up to the next
      const p = pointAt[a];
      for (let k = 0; k < p.length;) {
        let m = k; while (m < p.length && p[m] === p[k]) m++;
        const room = a === 1 ? 0.9 : (m < p.length ? p[m] - p[k] : 0) * 0.9, base = p[k];
        const least = Math.min(...d.order.slice(k, Math.min(m, k + 50)).map(i => d.outcome[i] === 1 ? axes[a].ret[i] - base : Infinity));
        for (let j = k; j < m; j++) p[j] = base + Math.min(room, least) * (j - k + 0.5) / (m - k);
        k = m;
      }
    }
  }
  function seenPoints() { const p = pointAt[axes.indexOf(axis)]; let a = 0, b = p.length; while (a < b) { const m = (a + b) >> 1; if (p[m] < from) a = m + 1; else b = m; } return [p, a]; }
  function crowded(p, a) { const most = Math.floor((width - LEFT) / 3); return a + most < p.length && p[a + most] <= to; }
  function points(start, end) {
    const [p, a] = seenPoints();
    if (!p.length || crowded(p, a)) return;
    let last = -9, budget = 4000;
    g.fillStyle = paint.ink;
    for (let k = a; k < p.length && p[k] <= to && budget > 0; k++) {
      const px = x(p[k]), row = d.client[d.order[k]];
      if (row < start || row >= end || px - last < 0.5) continue;
      last = px; budget--;
      g.fillRect(px - 1, y(row) + 1, 2, ROW - 2);
      if ((width - LEFT) / Math.max(1, to - from) > 3 || p.length < 2000) { g.beginPath(); g.arc(px, y(row) + 4, 3, 0, 7); g.fill(); }
    }
  }
  function states() {
    if (!lane) return;
    const [p, a] = seenPoints();
    let last = LEFT;
    if (crowded(p, a)) { g.fillStyle = paint.soft; g.fillText(short("zoom in to see where operations took effect, and the state after each", width - LEFT - 16), LEFT + 8, 45); return; }
    for (let k = Math.max(0, a - 1); k < p.length && p[k] <= to; k++) {
      const px = Math.max(LEFT, x(p[k]));
      while (k + 1 < p.length && d.state[k + 1] === d.state[k]) k++; // reads change nothing
      const end = Math.min(width, k + 1 < p.length ? x(p[k + 1]) : d.prefix ? x(axis.of(d.until)) : width);
      if (end - px < 16 || px < last) continue;
      g.fillStyle = paint.raised; g.fillRect(px, 36, end - px - 1, 18);
      g.fillStyle = paint.ink; g.fillText(short(d.states[d.state[k]], end - px - 6), px + 3, 45);
      last = end;
    }
  }

  function zoom(factor, px = LEFT + (width - LEFT) / 2) { const m = back(px), least = axis === axes[0] ? 10 : 2; let span = Math.min(Math.max((to - from) * factor, least), (hi() - lo()) * 1.2 + 2); const share = (m - from) / (to - from); from = m - span * share; to = from + span; ask(); }
  function move(share) { const by = (to - from) * share; if (to + by < lo() || from + by > hi()) return; from += by; to += by; ask(); }
  function show(i) {
    const mid = (axis.call[i] + Math.min(axis.ret[i], hi())) / 2, own = axis.ret[i] - axis.call[i];
    const near = axis === axes[1] ? Math.min(40, hi() - lo() + 2) : Math.max(own * 8, (hi() - lo()) / Math.max(20, n / 20));
    let [a, z] = hit[i] ? reach() : [mid, mid];
    if (z - a > near * 3) { a = z = mid; } // the others are too far away to be seen with it
    from = Math.min(mid - near / 2, a - near * 0.1); to = Math.max(mid + near / 2, z + near * 0.1);
    scroll = clamp(d.client[i] * ROW - (height - TOP) / 2);
    keep = i; say(i); ask();
  }
  function reach() { let a = Infinity, z = -Infinity; for (const i of d.witness) { a = Math.min(a, axis.call[i]); z = Math.max(z, d.end[i] ? axis.ret[i] : axis.call[i]); } return [a, z]; }
  function showWitness() {
    const [a, z] = reach(), pad = Math.max((z - a) * 0.05, axis === axes[1] ? 1 : 10);
    from = a - pad; to = z + pad;
    scroll = clamp(Math.min(...d.witness.map(i => d.client[i])) * ROW);
    ask();
  }
  function step(by) { const i = keep < 0 ? (by > 0 ? 0 : n - 1) : keep + by; if (i >= 0 && i < n) show(i); }
  const clamp = s => Math.min(Math.max(0, s), Math.max(0, rows.length * ROW - (height - TOP) + 8));
  const words = i => `client ${d.clients[d.client[i]]}: ${d.text[i]}\nline ${d.line[i]}${d.end[i] ? " to " + d.end[i] : ", never completed"}${timed ? `; from ${clock(d.call[i])} to ${clock(d.ret[i])}` : ""}${after(i)}${d.error[i] ? "\n" + d.error[i] : ""}`;
  const inOrder = new Map(d.order.map((i, k) => [i, k]));
  function after(i) { const k = inOrder.get(i); return k === undefined ? "" : `\n${k + 1}. in the order${d.prefix ? " of the good prefix" : ""}` + (d.state.length > 0 ? `, then the state is ${d.states[d.state[k]]}` : ""); }
  function say(i) { kept.textContent = i < 0 ? " " : words(i); }
  function under(px, py) {
    const row = Math.floor((py - TOP + scroll) / ROW);
    if (py < TOP || px < LEFT || row < 0 || row >= rows.length) return -1;
    const list = rows[row], v = back(px), slack = (to - from) / width * 3;
    const k = first(list, v + slack, axis.call) - 1;
    return k >= 0 && axis.ret[list[k]] + slack >= v ? list[k] : -1;
  }
  let drag = null, moved = false;
  canvas.addEventListener("pointerdown", e => { drag = [e.offsetX, e.offsetY]; moved = false; canvas.setPointerCapture(e.pointerId); });
  canvas.addEventListener("pointerup", e => { drag = null; if (!moved) { keep = under(e.offsetX, e.offsetY); say(keep); ask(); } });
  canvas.addEventListener("pointermove", e => {
    if (drag) {
      const dx = e.offsetX - drag[0], dy = e.offsetY - drag[1];
      if (Math.abs(dx) + Math.abs(dy) > 3) moved = true;
      move(-dx / (width - LEFT)); scroll = clamp(scroll - dy); drag = [e.offsetX, e.offsetY]; tip.hidden = true; ask();
      return;
    }
    over = under(e.offsetX, e.offsetY);
    tip.hidden = over < 0;
    if (over < 0) return;
    tip.textContent = words(over);
    tip.style.left = Math.min(e.offsetX + 14, width - 330) + "px"; tip.style.top = e.offsetY + 16 + "px";
  });
  canvas.addEventListener("pointerleave", () => { tip.hidden = true; });
  canvas.addEventListener("wheel", e => {
    if (e.ctrlKey || e.metaKey) { e.preventDefault(); zoom(Math.exp(e.deltaY * 0.0025), e.offsetX); return; }
    if (e.deltaX) { e.preventDefault(); move(e.deltaX / width); }
    const next = clamp(scroll + e.deltaY);
    if (next !== scroll) { e.preventDefault(); scroll = next; ask(); }
  }, { passive: false });
  canvas.addEventListener("keydown", e => {
    const does = { ArrowLeft: () => move(-0.15), ArrowRight: () => move(0.15), ArrowUp: () => { scroll = clamp(scroll - ROW); ask(); }, ArrowDown: () => { scroll = clamp(scroll + ROW); ask(); }, "+": () => zoom(0.7), "=": () => zoom(0.7), "-": () => zoom(1.4), 0: fit, "[": () => step(-1), "]": () => step(1), f: () => d.first >= 0 && show(d.first), w: () => d.witness.length && showWitness() }[e.key];
    if (does && !e.ctrlKey && !e.metaKey && !e.altKey) { e.preventDefault(); does(); }
  });
  const on = (id, what) => { const b = document.getElementById(id); if (b) b.addEventListener("click", what); };
  on("in", () => zoom(0.5)); on("out", () => zoom(2)); on("fit", fit); on("first", () => show(d.first)); on("witness", showWitness);
  const axisButton = document.getElementById("axis");
  const axisName = () => { axisButton.textContent = "Axis: " + axis.name; };
  on("axis", () => { const i = keep; axis = axis === axes[0] ? axes[1] : axes[0]; axisName(); if (i >= 0) show(i); else fit(); });
  document.addEventListener("keydown", e => { if (e.key === "/" && e.target !== find) { e.preventDefault(); find.focus(); } });
  const find = document.getElementById("find"), hits = document.getElementById("hits");
  function search(step) {
    const text = find.value.toLowerCase();
    if (!step) {
      found = new Set(); at = -1;
      if (text) for (let i = 0; i < n; i++) if (d.text[i].toLowerCase().includes(text) || d.clients[d.client[i]] === text || String(d.line[i]) === text) found.add(i);
      hits.textContent = text ? found.size + " found" : "";
    }
    if (step && found.size) { const all = [...found]; at = (at + 1) % all.length; hits.textContent = `${at + 1} of ${all.length}`; show(all[at]); }
    ask();
  }
  find.addEventListener("input", () => search(0));
  find.addEventListener("keydown", e => { if (e.key === "Enter") search(1); });
  on("next", () => search(1));
  for (const a of document.querySelectorAll("[data-op]")) {
    const go = e => { e.preventDefault(); show(+a.dataset.op); stage.scrollIntoView({ block: "center" }); };
    a.addEventListener("click", go);
    a.addEventListener("keydown", e => { if (e.key === "Enter" && !a.href) go(e); });
  }
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => { colours(); ask(); });
  window.addEventListener("resize", resize);
  colours(); place(); axisName(); resize(); fit();
  if (d.first >= 0 && d.witness.length) show(d.first);
  window.picture = { draw, fit, zoom, move, show, showWitness, span: () => to - from }; // for measuring
})();
