'use strict';
// The data, the marks and their export. See page_data in page.py for the form
// of the data.
const DATA = JSON.parse(document.getElementById('data').textContent);
const { images, boxes, regions, findings } = DATA;
const MARKS = ['', 'drop', 'fix', 'fine'];
const STORE = 'box2seg-audit-' + DATA.key;
const $ = id => document.getElementById(id);
const number = value => value.toLocaleString('en');

// An item is what a mark belongs to: a box, or a region without a box.
const numBoxes = boxes.class.length;
const numFindings = findings.box.length;
const itemOf = new Int32Array(numFindings);
const firstFinding = new Int32Array(numBoxes + regions.length / 4).fill(-1);
for (let i = numFindings - 1; i >= 0; i--) {
  const box = findings.box[i];
  itemOf[i] = box < 0 ? numBoxes - 1 - box : images.first[findings.image[i]] + box;
  firstFinding[itemOf[i]] = i;
}
const marks = new Uint8Array(firstFinding.length);

/** All that an export or a card tells of an item. */
function describe(item) {
  const i = firstFinding[item];
  const image = findings.image[i];
  const isBox = item < numBoxes;
  const at = 4 * (isBox ? item : item - numBoxes);
  const cls = findings.class[i];
  return {
    mode: DATA.modes[findings.mode[i]],
    score: findings.score[i],
    image_id: images.id[image],
    box_index: isBox ? item - images.first[image] : null,
    box_id: isBox ? boxes.id[item] : null,
    class: cls < 0 ? null : DATA.classes[cls],
    box: (isBox ? boxes.box : regions).slice(at, at + 4),
  };
}

// Marks -----------------------------------------------------------------
// A box is stored by its number. A region is stored by its place, because
// another audit of the same boxes may find other regions.
let otherRegions = {};
function storedName(item) {
  if (item < numBoxes) return item;
  const { image_id, box } = describe(item);
  return [image_id, ...box].join();
}
function loadMarks() {
  let stored = null;
  try { stored = localStorage.getItem(STORE); } catch (error) { warn(error); }
  stored = JSON.parse(stored) ?? {};
  const places = new Map();
  if (Object.values(stored).flat().some(name => typeof name === 'string')) {
    for (let item = numBoxes; item < marks.length; item++) places.set(storedName(item), item);
  }
  marks.fill(0);
  otherRegions = {};
  for (const [name, names] of Object.entries(stored)) {
    otherRegions[name] = [];
    for (const value of names) {
      const item = typeof value === 'number' ? value : places.get(value);
      if (item === undefined) otherRegions[name].push(value);
      else marks[item] = MARKS.indexOf(name);
    }
  }
}
function saveMarks() {
  const stored = { drop: [], fix: [], fine: [] };
  marks.forEach((mark, item) => mark && stored[MARKS[mark]].push(storedName(item)));
  for (const name in otherRegions) stored[name].push(...otherRegions[name]);
  try { localStorage.setItem(STORE, JSON.stringify(stored)); } catch (error) { warn(error); }
}
function warn(error) {
  $('warning').hidden = false;
  $('warning').textContent = 'This browser does not store the marks; export them before you close the page. ' + error.message;
}
function setMark(item, mark) {
  marks[item] = mark;
  saveMarks();
  showMarks();
}
function showMarks() {
  for (const card of document.querySelectorAll('article')) {
    for (const button of card.querySelectorAll('[data-mark]')) {
      button.setAttribute('aria-pressed', marks[card.item] === +button.dataset.mark);
    }
  }
  const counts = [0, 0, 0, 0];
  for (const mark of marks) counts[mark]++;
  $('tally').replaceChildren(...[1, 2, 3].filter(mark => counts[mark]).map(mark => {
    const text = document.createElement('b');
    text.dataset.mark = mark;
    text.textContent = number(counts[mark]) + ' ' + MARKS[mark];
    return text;
  }));
}

// Export ----------------------------------------------------------------
const COLUMNS = ['mode', 'score', 'image_id', 'box_index', 'box_id', 'class', 'x1', 'y1', 'x2', 'y2'];
function markedRows() {
  const mark = +$('list').value;
  const rows = [];
  marks.forEach((value, item) => value === mark && firstFinding[item] >= 0 && rows.push(describe(item)));
  return rows;
}
function exportName() {
  return MARKS[$('list').value] + '-' + $('unit').value;
}
function imageIds(rows) {
  return [...new Set(rows.map(row => row.image_id))];
}
/** A box has its own id or, in a format without ids, image id and index. */
function exportText() {
  const rows = markedRows();
  const lines = $('unit').value === 'images' ? imageIds(rows)
    : rows.filter(row => row.box_index !== null).map(row => row.box_id ?? row.image_id + '#' + row.box_index);
  return lines.map(line => line + '\n').join('');
}
function exportCsv() {
  const rows = markedRows();
  const cell = value => /[",\r\n]/.test(value ?? '') ? '"' + value.replaceAll('"', '""') + '"' : value ?? '';
  const lines = $('unit').value === 'images' ? [['image_id'], ...imageIds(rows).map(id => [id])]
    : [COLUMNS, ...rows.map(({ box, ...row }) => [...Object.values(row), ...box])];
  return lines.map(line => line.map(cell).join() + '\n').join('');
}
function exportJson() {
  const rows = markedRows();
  const unit = $('unit').value;
  const content = { mark: MARKS[$('list').value], [unit]: unit === 'images' ? imageIds(rows) : rows };
  return JSON.stringify(content, null, 1) + '\n';
}
function download(text, type, suffix) {
  const link = document.createElement('a');
  link.href = URL.createObjectURL(new Blob([text], { type }));
  link.download = exportName() + suffix;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10000);
}
function showExport() {
  const rows = markedRows();
  const withBox = rows.filter(row => row.box_index !== null).length;
  $('export-note').textContent = `Boxes: ${number(withBox)}. Regions without a box: ${number(rows.length - withBox)}. Images: ${number(imageIds(rows).length)}.`
    + (rows.length > withBox && $('unit').value === 'boxes' ? ' The regions are in CSV and JSON, not in the text.' : '');
  $('export-text').value = exportText();
}
function openExport() {
  showExport();
  $('export').showModal();
}
async function copyText() {
  $('export-text').select();
  // Browsers offer the clipboard to local and encrypted pages only.
  if (navigator.clipboard) await navigator.clipboard.writeText($('export-text').value);
  else document.execCommand('copy');
  $('export-note').textContent = 'Copied.';
}
$('list').addEventListener('change', showExport);
$('unit').addEventListener('change', showExport);
$('open-export').addEventListener('click', openExport);
$('copy').addEventListener('click', copyText);
$('csv').addEventListener('click', () => download(exportCsv(), 'text/csv', '.csv'));
$('json').addEventListener('click', () => download(exportJson(), 'application/json', '.json'));
$('clear').addEventListener('click', () => {
  if (!confirm('Remove all marks of this audit?')) return;
  marks.fill(0);
  saveMarks();
  showMarks();
  showExport();
});
loadMarks();
