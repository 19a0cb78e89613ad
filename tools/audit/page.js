// The cards of the findings, the filter and the keys.
const PAGE = 60;
const MARK_KEYS = { u: 0, x: 1, f: 2, o: 3 };
const SVG = 'http://www.w3.org/2000/svg';

// Cards -----------------------------------------------------------------
function shape(svg, name, attributes) {
  const element = document.createElementNS(SVG, name);
  for (const key in attributes) element.setAttribute(key, attributes[key]);
  svg.append(element);
  return element;
}
function drawBoxes(svg, image, item, suggestion) {
  const [height, width] = images.size.slice(2 * image, 2 * image + 2);
  svg.setAttribute('viewBox', [0, 0, width, height].join(' '));
  shape(svg, 'rect', { class: 'frame', width, height });
  let others = '';
  const outline = ([x1, y1, x2, y2]) => `M${x1} ${y1}H${x2}V${y2}H${x1}Z`;
  for (let other = images.first[image]; other < images.first[image + 1]; other++) {
    if (other !== item) others += outline(boxes.box.slice(4 * other, 4 * other + 4));
  }
  shape(svg, 'path', { class: 'halo', d: others });
  shape(svg, 'path', { class: 'line', d: others });
  const d = outline(describe(item).box);
  const kind = item < numBoxes ? 'suspect' : 'suspect region';
  shape(svg, 'path', { class: kind + ' halo', d });
  shape(svg, 'path', { class: kind + ' line', d });
  if (suggestion) shape(svg, 'path', { class: 'suggestion line', d: outline(suggestion) });
}
/** Write the classes into the boxes of a picture that is on the screen. */
function labelBoxes(svg, image, item) {
  const [height, width] = images.size.slice(2 * image, 2 * image + 2);
  const size = 14 * Math.max(width / svg.clientWidth, height / svg.clientHeight);
  for (let box = images.first[image]; box < images.first[image + 1]; box++) {
    const [x, y] = boxes.box.slice(4 * box, 4 * box + 2);
    const place = { x: x + size / 4, y: y + size * 1.1, 'font-size': size };
    shape(svg, 'text', { ...place, class: box === item ? 'suspect' : '' }).textContent = DATA.classes[boxes.class[box]];
  }
}
function makeCard(i, large = false) {
  const card = $('card').content.firstElementChild.cloneNode(true);
  const part = selector => card.querySelector(selector);
  const image = findings.image[i];
  const item = itemOf[i];
  const facts = describe(item);
  const photograph = DATA.folders[images.folder[image]] + '/' + images.name[image];
  const mode = DATA.modes[findings.mode[i]];
  const score = findings.score[i].toFixed(2);
  card.item = item;
  card.finding = i;
  const img = part('img');
  const thumbnail = DATA.thumbnails[image];
  const sources = large ? [photograph, thumbnail] : [thumbnail];
  const next = () => {
    const source = sources.shift();
    img.hidden = !source;
    if (source) img.src = source;
    else part('.note').textContent ||= thumbnail && !large ? 'The thumbnail is missing: ' + thumbnail : 'The photograph is missing: ' + photograph;
  };
  img.addEventListener('error', next);
  if (large || thumbnail) next();
  else {
    img.hidden = true;
    part('.note').textContent = 'No thumbnail. Enlarge to see the photograph.';
  }
  drawBoxes(part('svg'), image, item, DATA.suggestions[i]);
  part('.mode').textContent = mode;
  part('.class').textContent = facts.class ?? '';
  part('.score').textContent = score;
  part('.reason').textContent = DATA.reasons[findings.reason[i]];
  part('a').textContent = facts.image_id;
  part('a').href = photograph;
  part('.where span').textContent = facts.box_index === null ? 'region without a box'
    : 'box ' + facts.box_index + (facts.box_id === null ? '' : ', id ' + facts.box_id);
  card.setAttribute('aria-label', `${mode} ${facts.class ?? ''}, score ${score}, image ${facts.image_id}`);
  part('.picture').setAttribute('aria-label', large ? 'Picture with its boxes' : 'Enlarge');
  if (large) part('.picture').disabled = true;
  else part('.picture').addEventListener('click', () => { select(shown.indexOf(i), false); enlarge(); });
  part('.marks').addEventListener('click', event => {
    const button = event.target.closest('button');
    if (!button) return;
    // A second click removes the mark.
    const mark = +button.dataset.mark;
    setMark(item, marks[item] === mark ? 0 : mark);
  });
  return card;
}

// Filter and pages ------------------------------------------------------
let shown = [];     // the findings that fit the filter
let start = 0;      // place in it of the first one on the page
let current = -1;   // place in it of the one that keys act on
function refilter() {
  const mode = $('mode').value;
  const cls = $('class').value;
  const mark = $('mark').value;
  const text = $('search').value.trim().toLowerCase();
  const fits = text && images.id.map(id => id.toLowerCase().includes(text));
  shown = [];
  for (let i = 0; i < numFindings; i++) {
    if ((mode === '' || findings.mode[i] === +mode) && (cls === '' || findings.class[i] === +cls)
      && (mark === '' || marks[itemOf[i]] === +mark) && (!fits || fits[findings.image[i]])) shown.push(i);
  }
  showPage(0);
}
function showPage(place) {
  start = place - place % PAGE;
  current = -1;
  const cards = shown.slice(start, start + PAGE).map(i => makeCard(i));
  if (!cards.length) {
    const text = document.createElement('p');
    text.className = 'nothing';
    text.textContent = numFindings ? 'No finding fits the filter.' : 'The audit has no findings.';
    cards.push(text);
  }
  $('cards').replaceChildren(...cards);
  const pages = Math.max(Math.ceil(shown.length / PAGE), 1);
  for (const nav of document.querySelectorAll('nav')) {
    const page = start / PAGE;
    nav.querySelector('.range').textContent = shown.length
      ? `${number(start + 1)}–${number(Math.min(start + PAGE, shown.length))} of ${number(shown.length)} findings` : 'No findings';
    nav.querySelector('[data-step="-1"]').disabled = page === 0;
    nav.querySelector('[data-step="1"]').disabled = page === pages - 1;
    nav.querySelector('input').value = page + 1;
    nav.querySelector('input').max = pages;
    nav.querySelector('.count').textContent = number(pages);
  }
  showMarks();
}
function turnPage(page) {
  const last = Math.max(Math.ceil(shown.length / PAGE) - 1, 0);
  showPage(PAGE * Math.min(Math.max(page, 0), last));
  document.querySelector('nav').scrollIntoView({ block: 'center' });
}
/** Make the finding at a place in `shown` the one that keys act on. */
function select(place, focus = true) {
  if (place < start || place >= start + PAGE) showPage(place);
  current = place;
  const cards = [...$('cards').children];
  const card = cards[place - start];
  document.querySelector('[aria-current]')?.removeAttribute('aria-current');
  card.setAttribute('aria-current', 'true');
  if ($('view').open) enlarge();
  else if (focus) card.focus({ preventScroll: true });
  card.scrollIntoView({ block: 'nearest' });
}
function step(by) {
  if (!shown.length) return;
  if (current < 0) return select(start);
  const place = current + by;
  if (place >= 0 && place < shown.length) select(place);
}
function enlarge() {
  $('view').querySelector('article')?.remove();
  const i = shown[current];
  const card = makeCard(i, true);
  $('view').append(card);
  showMarks();
  if (!$('view').open) $('view').showModal();
  labelBoxes(card.querySelector('svg'), findings.image[i], itemOf[i]);
  card.focus();
}

// Keys ------------------------------------------------------------------
function columns() {
  return getComputedStyle($('cards')).gridTemplateColumns.split(' ').length;
}
const KEYS = {
  j: () => step(1),
  k: () => step(-1),
  arrowright: () => step(1),
  arrowleft: () => step(-1),
  arrowdown: () => step($('view').open ? 1 : columns()),
  arrowup: () => step($('view').open ? -1 : -columns()),
  n: () => changePage(1),
  p: () => changePage(-1),
};
const PAGE_KEYS = {
  '/': () => $('search').focus(),
  e: openExport,
  '?': () => $('help').showModal(),
};
function changePage(by) {
  const place = start + by * PAGE;
  if (place >= 0 && place < shown.length) select(place);
}
document.addEventListener('keydown', event => {
  const { target } = event;
  if (event.ctrlKey || event.metaKey || event.altKey || target.matches('select, textarea')) return;
  if (target.matches('input')) {
    if (target === $('search') && ['Enter', 'Escape'].includes(event.key)) target.blur();
    return;
  }
  if ($('export').open || $('help').open) return;
  const key = event.key.toLowerCase();
  const action = KEYS[key] ?? ($('view').open ? undefined : PAGE_KEYS[key]);
  if (action) {
    action();
  } else if (key in MARK_KEYS && current >= 0) {
    setMark(itemOf[shown[current]], MARK_KEYS[key]);
    if (event.shiftKey) step(1);
  } else if (key === 'enter' && target.matches('#cards article')) {
    enlarge();
  } else {
    return;
  }
  event.preventDefault();
});
$('cards').addEventListener('focusin', event => {
  const place = start + [...$('cards').children].indexOf(event.target.closest('article'));
  if (place !== current) select(place, false);
});
$('view').addEventListener('close', () => $('cards').children[current - start].focus());

// Start -----------------------------------------------------------------
function addOptions(select, names, values) {
  const counts = new Map();
  for (const value of values) counts.set(value, (counts.get(value) ?? 0) + 1);
  const options = names.map((name, value) => [name, value]).filter(([, value]) => counts.has(value));
  if (counts.has(-1)) options.push(['no class', -1]);
  for (const [name, value] of options) select.add(new Option(`${name} (${number(counts.get(value))})`, value));
}
addOptions($('mode'), DATA.modes, findings.mode);
addOptions($('class'), DATA.classes, findings.class);
for (const nav of document.querySelectorAll('nav')) {
  nav.append($('pages').content.cloneNode(true));
  nav.addEventListener('click', event => {
    const by = event.target.dataset.step;
    if (by) turnPage(start / PAGE + +by);
  });
  nav.querySelector('input').addEventListener('change', event => turnPage(Math.floor(event.target.value) - 1));
}
for (const id of ['mode', 'class', 'mark', 'search']) $(id).addEventListener('input', refilter);
$('filter').addEventListener('submit', event => event.preventDefault());
$('open-help').addEventListener('click', () => $('help').showModal());
// Marks that the same page set in another tab.
addEventListener('storage', event => {
  if (event.key !== STORE) return;
  loadMarks();
  showMarks();
});
refilter();
