
'use strict';
// Filters, search and sorting. The page is complete without them: rows are shown, hidden and put in order, never written.
(() => {
  const LEVELS = { high: 0, medium: 1, low: 2 };
  const EFFORTS = { S: 0, M: 1, L: 2 };
  // Rows shown at first; the others wait for a click, a filter, or the printer.
  const FIRST = 25;
  const form = document.getElementById('filter');
  if (!form) return;
  const table = document.getElementById('table');
  const body = table.tBodies[0];
  const count = document.getElementById('count');
  const all = document.getElementById('all');
  const format = (number) => number.toLocaleString('en');
  const given = JSON.parse(document.getElementById('data').textContent).findings;
  const rows = Array.from(body.rows, (row, place) => {
    const [level, category, confidence, rule, state, edits, leverage, effort, path] = given[place];
    return { row, place, level, category, confidence, rule, state, edits: edits ? 'exact' : '', leverage, effort, path, text: null };
  });
  // What a row says, and what is folded in it; read when somebody searches.
  const text = (it) => (it.text ??= it.row.textContent.toLowerCase());
  const orders = {
    level: (a, b) => LEVELS[a.level] - LEVELS[b.level],
    category: (a, b) => a.category.localeCompare(b.category),
    effort: (a, b) => EFFORTS[a.effort] - EFFORTS[b.effort],
    leverage: (a, b) => a.leverage - b.leverage,
  };
  const first = { level: 1, category: 1, effort: 1, leverage: -1 };
  let sort = 'leverage';
  let direction = -1;
  let sorted = 'leverage-1';
  let whole = false;

  const show = () => {
    const wanted = new FormData(form);
    const value = (name) => (wanted.get(name) ?? '').trim();
    const exact = ['level', 'category', 'confidence', 'rule', 'state', 'edits'].filter((name) => value(name));
    const path = value('path').toLowerCase();
    const words = value('q').toLowerCase().split(/\s+/).filter(Boolean);
    const fits = (it) =>
      exact.every((name) => it[name] === value(name)) &&
      (!path || it.path.toLowerCase().includes(path)) &&
      words.every((word) => text(it).includes(word));
    const key = sort + direction;
    if (key !== sorted) {
      rows.sort((a, b) => direction * orders[sort](a, b) || a.place - b.place);
      body.append(...rows.map((it) => it.row));
      sorted = key;
    }
    let shown = 0;
    for (const it of rows) {
      const hide = !fits(it);
      if (it.row.hidden !== hide) it.row.hidden = hide;
      if (!hide) shown += 1;
      it.row.classList.toggle('waiting', !hide && !whole && shown > FIRST);
    }
    const waiting = whole ? 0 : Math.max(0, shown - FIRST);
    all.hidden = waiting === 0;
    all.textContent = `Show ${format(waiting)} more`;
    count.textContent = shown === 0
      ? 'No finding is like that'
      : shown === rows.length ? `${format(shown)} findings` : `${format(shown)} of ${format(rows.length)} findings`;
    for (const head of table.tHead.rows[0].cells) {
      const own = head.dataset.sort === sort;
      if (own) head.setAttribute('aria-sort', direction > 0 ? 'ascending' : 'descending');
      else head.removeAttribute('aria-sort');
    }
  };

  // The state of the filter is in the address, so that a view can be passed on.
  const state = () => {
    const parts = new URLSearchParams();
    for (const [name, value] of new FormData(form)) if (value.trim()) parts.set(name, value.trim());
    if (sort !== 'leverage' || direction !== -1) parts.set('sort', (direction > 0 ? '' : '-') + sort);
    return parts.toString();
  };
  const remember = () => {
    const wanted = state();
    try { history.replaceState(null, '', wanted ? '#' + wanted : location.pathname + location.search); } catch { /* A sandboxed frame. */ }
  };
  const restore = () => {
    const fragment = location.hash.slice(1);
    if (!fragment.includes('=')) return reach(fragment);
    const parts = new URLSearchParams(fragment);
    form.reset();
    for (const [name, value] of parts) {
      const field = form.elements.namedItem(name);
      if (!field || !field.name) continue;
      if (field.type === 'checkbox') field.checked = value === field.value;
      else field.value = value;
      // A value that is not in the list leaves a select empty.
      if (field.tagName === 'SELECT' && field.selectedIndex < 0) field.value = '';
    }
    const by = parts.get('sort') ?? '-leverage';
    const name = by.replace(/^-/, '');
    if (Object.hasOwn(orders, name)) { sort = name; direction = by.startsWith('-') ? -1 : 1; }
    whole = false;
    show();
    return true;
  };
  // A link to a finding or a rule opens it, whatever is filtered.
  const reach = (id) => {
    const target = id && document.getElementById(id);
    if (!target) return false;
    const details = target.matches('details') ? target : target.querySelector('details');
    if (target.matches('tr')) {
      if (target.hidden) form.reset();
      whole ||= target.classList.contains('waiting') || target.hidden;
      show();
    }
    if (details && (target.matches('tr') || target.matches('details'))) details.open = true;
    target.scrollIntoView();
    return true;
  };

  for (const head of table.tHead.rows[0].cells) {
    const by = head.dataset.sort;
    if (!by) continue;
    const button = document.createElement('button');
    button.type = 'button';
    button.textContent = head.textContent;
    head.textContent = '';
    head.append(button);
    button.addEventListener('click', () => {
      direction = sort === by ? -direction : first[by];
      sort = by;
      show();
      remember();
    });
  }
  let timer = 0;
  form.addEventListener('input', () => {
    clearTimeout(timer);
    timer = setTimeout(() => { whole = false; show(); remember(); }, 60);
  });
  form.addEventListener('submit', (event) => event.preventDefault());
  document.getElementById('clear').addEventListener('click', () => { form.reset(); whole = false; show(); remember(); });
  all.addEventListener('click', () => { whole = true; show(); });
  for (const picture of document.querySelectorAll('.treemap')) {
    picture.classList.add('live');
    picture.addEventListener('click', (event) => {
      const path = event.target.closest('[data-path]')?.dataset.path;
      if (path) location.hash = 'path=' + encodeURIComponent(path);
    });
  }
  window.addEventListener('hashchange', () => {
    if (restore() && location.hash.includes('=')) document.getElementById('findings').scrollIntoView();
  });
  // On paper nothing can be opened.
  let opened = [];
  window.addEventListener('beforeprint', () => {
    opened = Array.from(document.querySelectorAll('details:not([open])'));
    for (const details of opened) details.open = true;
  });
  window.addEventListener('afterprint', () => {
    for (const details of opened) details.open = false;
    opened = [];
  });
  form.hidden = false;
  if (!location.hash.includes('=')) show();
  restore();
})();
