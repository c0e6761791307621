'use strict';
(function () {
  var root = document.documentElement;
  var all = function (selector, from) { return Array.prototype.slice.call((from || document).querySelectorAll(selector)); };
  all('.js').forEach(function (e) { e.hidden = false; });

  var theme = document.getElementById('theme');
  var dark = function () { return root.dataset.theme ? root.dataset.theme === 'dark' : matchMedia('(prefers-color-scheme: dark)').matches; };
  var label = function () { theme.textContent = dark() ? 'Light colours' : 'Dark colours'; };
  theme.hidden = false;
  label();
  theme.addEventListener('click', function () { root.dataset.theme = dark() ? 'light' : 'dark'; label(); });

  all('.copy').forEach(function (button) {
    button.addEventListener('click', function () {
      var code = button.parentNode.querySelector('code');
      var done = function () { button.textContent = 'Copied'; };
      var select = function () { getSelection().selectAllChildren(code); button.textContent = 'Selected: press Ctrl-C'; };
      if (navigator.clipboard) { navigator.clipboard.writeText(code.textContent).then(done, select); } else { select(); }
    });
  });

  // A link into something that is closed opens it.
  var reveal = function () {
    var target = location.hash.length > 1 && document.getElementById(location.hash.slice(1));
    for (var e = target; e; e = e.parentElement) { if (e.tagName === 'DETAILS') { e.open = true; } }
    if (target) { target.scrollIntoView(); }
  };
  addEventListener('hashchange', reveal);
  reveal();

  var visible = function () { return all('.item').filter(function (e) { return e.checkVisibility ? e.checkVisibility() : e.offsetParent; }); };
  var current = null;
  var go = function (item) {
    if (!item) { return; }
    if (current) { current.classList.remove('current'); }
    current = item;
    current.classList.add('current');
    var summary = current.querySelector('summary');
    summary.focus({ preventScroll: true });
    summary.scrollIntoView({ block: 'nearest' });
  };
  addEventListener('keydown', function (e) {
    if (e.ctrlKey || e.metaKey || e.altKey) { return; }
    var items = visible();
    var i = items.indexOf(current);
    if (e.key === 'j') { go(items[Math.min(i + 1, items.length - 1)]); }
    if (e.key === 'k') { go(items[Math.max(i - 1, 0)]); }
    if (e.key === 'o' && current) { current.open = !current.open; }
    if (e.key === 'f') { var first = document.querySelector('.links .strong'); if (first) { location.hash = first.hash; reveal(); } }
  });

  var ms = function (v) { return v >= 1000 ? (v / 1000).toPrecision(3) + ' s' : v + ' ms'; };
  all('.axis').forEach(function (axis) {
    var end = +axis.dataset.end, cursor = axis.querySelector('.cursor'), readout = axis.nextElementSibling, part = 0;
    var journeys = all('.journey', axis).map(function (e) {
      return { name: e.dataset.journey, width: +e.dataset.width, points: e.dataset.points.split(';').map(function (p) { return p.split(',').map(Number); }) };
    });
    var show = function () {
      cursor.style.display = 'block';
      cursor.style.left = (axis.clientWidth * part) + 'px';
      var t = end * part;
      readout.textContent = 'at ' + (t / 1000).toFixed(2) + ' s — ' + journeys.map(function (j) {
        var p = j.points[Math.floor(t / j.width)];
        if (!p || !p[0]) { return j.name + ': no arrivals'; }
        return j.name + ': ' + p[0] + ' arrivals, ' + p[1] + ' ok' + (p[2] ? ' (' + p[2] + ' degraded)' : '') + ', ' + (p[0] - p[1]) + ' not, p50 ' + ms(p[3]) + ', p95 ' + ms(p[4]) + ', p99 ' + ms(p[5]);
      }).join(' · ');
    };
    axis.addEventListener('pointermove', function (e) {
      part = Math.min(Math.max((e.clientX - axis.getBoundingClientRect().left) / axis.clientWidth, 0), 1);
      show();
    });
    axis.addEventListener('pointerleave', function () { cursor.style.display = 'none'; });
    axis.addEventListener('keydown', function (e) {
      var step = { ArrowLeft: -1, ArrowRight: 1 }[e.key];
      if (!step) { return; }
      e.preventDefault();
      var width = journeys.length ? journeys[0].width : end / 100;
      part = Math.min(Math.max(part + step * width / end, 0), 1);
      show();
    });
  });

  var closed = [];
  addEventListener('beforeprint', function () { closed = all('details:not([open])'); closed.forEach(function (e) { e.open = true; }); });
  addEventListener('afterprint', function () { closed.forEach(function (e) { e.open = false; }); });
})();
