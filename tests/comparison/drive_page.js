// Uses the page as a person does and tells in the title what happened.
const log = [];
const visible = () => [...main.children].filter(row => !row.hidden);
const names = rows => rows.map(row => row.dataset.name).join();
const choose = (select, value) => {
  select.value = value;
  select.dispatchEvent(new Event('change'));
};
log.push(document.getElementById('count').textContent);
for (const key of ['j', 'j', 'k']) {
  document.dispatchEvent(new KeyboardEvent('keydown', { key }));
  log.push(document.activeElement.dataset.name);
}
choose(order, 'loss');
log.push(names(visible()));
choose(only, only.options[1].value);
const fitting = [...main.children].filter(
  row => row.dataset.classes.split(' ').includes(only.value));
log.push(fitting.length > 0 && names(visible()) === names(fitting));
document.querySelectorAll('#table thead button')[2].click();
const values = [...document.querySelector('#table tbody').rows]
  .filter(row => row.className !== 'mean')
  .map(row => +row.children[2].dataset.value);
log.push(values.every((value, i) => i === 0 || value <= values[i - 1]));
const tops = [...visible()[0].querySelectorAll('figure')].map(f => f.offsetTop);
log.push(tops.length > 5 && new Set(tops).size === 1);
document.title = log.join(';');
