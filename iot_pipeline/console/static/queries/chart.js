// A small chart of a result: the first column of times or texts against the columns of numbers.

const COLOURS = ["#0a6ed1", "#d1620a", "#1a8f5a", "#b5179e", "#8a6d00", "#0096a8"];
const NUMBERS = /^(double|float|real|.*int|decimal)/;

// Bars begin at nothing.
const fromZero = (_, least, greatest) => [Math.min(0, least * 1.05), Math.max(0, greatest * 1.05)];

export function drawChart(root, columns, rows) {
  root.replaceChildren();
  const first = columns.findIndex((column) => !NUMBERS.test(column.type));
  const values = columns.map((column, place) => [column, place]).filter(([column]) => NUMBERS.test(column.type)).slice(0, COLOURS.length);
  root.hidden = first < 0 || !values.length || rows.length < 2;
  if (root.hidden) return;
  const isTime = /^(timestamp|date)/.test(columns[first].type);
  const at = (row, place) => (isTime ? Date.parse(`${row[first].replace(" ", "T").slice(0, 23)}Z`) / 1000 : place);
  const kept = rows.filter((row) => row[first] !== null).map((row, place) => [at(row, place), row]);
  if (isTime) kept.sort(([one], [other]) => one - other);
  const data = [kept.map(([x]) => x), ...values.map(([, place]) => kept.map(([, row]) => (row[place] === null ? null : Number(row[place]))))];
  const style = getComputedStyle(document.body);
  const axis = { stroke: style.color, grid: { stroke: style.getPropertyValue("--line") } };
  const labels = (_, ticks) => ticks.map((tick) => (Number.isInteger(tick) ? (kept[tick]?.[1][first] ?? "").slice(0, 14) : ""));
  const bars = isTime ? {} : { paths: uPlot.paths.bars({ size: [0.6, 40] }) };
  new uPlot(
    {
      width: root.clientWidth || root.parentElement.clientWidth - 32,
      height: 220,
      tzDate: (seconds) => uPlot.tzDate(new Date(seconds * 1e3), "Etc/UTC"),
      scales: isTime ? { x: { time: true } } : { x: { time: false, range: [-0.5, kept.length - 0.5] }, y: { range: fromZero } },
      axes: [isTime ? axis : { ...axis, values: labels }, { ...axis, size: 60 }],
      series: [{ label: columns[first].name, ...(isTime ? {} : { value: (_, tick) => kept[tick]?.[1][first] ?? "–" }) }, ...values.map(([column], place) => ({ label: column.name, stroke: COLOURS[place], fill: isTime ? undefined : `${COLOURS[place]}55`, width: 1.5, ...bars }))],
    },
    data,
    root,
  );
}
