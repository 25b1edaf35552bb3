// What a reader of the open page cannot read, as lines of text. arguments[0]: the width that the page was given.
//
//   overlap            two texts, or a text and a drawing beside it, cover each other
//   outside its box    a text leaves its drawing, or the card or cell whose border or background it stands on
//   outside the page   a text begins before the page or ends after it
//   cut off            a text is hidden by a box that does not scroll, or by any on paper
//   scrolls            a text is to be scrolled to in a box other than a table's or a listing's
//   squeezed           a text of many lines has fewer than four letters on each
//   too wide           the page as a whole has to be scrolled sideways
//   faint              a text's contrast with what it stands on is below 4.5 : 1
const width = arguments[0];
const SLACK = 1; // pixels: glyphs have room around them
const CONTRAST = 4.5; // WCAG 2, level AA
const page = document.body ?? document.documentElement;
const paper = matchMedia("print").matches;
const faults = new Set();

// Shapes are convex polygons of [x, y] in the window's pixels; an upright text's is exact, and a slanted one's, too.
const polygon = ({ left, top, right, bottom }) => [[left, top], [right, top], [right, bottom], [left, bottom]];
const bounds = (shape) => {
  const xs = shape.map(([x]) => x), ys = shape.map(([, y]) => y);
  return { left: Math.min(...xs), top: Math.min(...ys), right: Math.max(...xs), bottom: Math.max(...ys) };
};
const within = (inner, outer) =>
  inner.left >= outer.left - SLACK && inner.right <= outer.right + SLACK &&
  inner.top >= outer.top - SLACK && inner.bottom <= outer.bottom + SLACK;

// Two convex shapes are apart where a line along one of their edges has one on either side.
function overlap(one, other) {
  return [one, other].every((shape) => shape.every(([x, y], i) => {
    const [nextX, nextY] = shape[(i + 1) % shape.length];
    const length = Math.hypot(nextX - x, nextY - y);
    if (!length) return true;
    const normal = ([px, py]) => (px * (nextY - y) - py * (nextX - x)) / length;
    const a = one.map(normal), b = other.map(normal);
    return Math.min(Math.max(...a), Math.max(...b)) - Math.max(Math.min(...a), Math.min(...b)) > SLACK;
  }));
}

// Colours are [red, green, blue, opacity], 0 to 255 and 0 to 1.
function colour(text) {
  const parts = text.match(/^rgba?\((\d+), (\d+), (\d+)(?:, ([\d.]+))?\)$/);
  if (!parts) throw new Error(`a colour that is not understood: ${text}`);
  return [+parts[1], +parts[2], +parts[3], +(parts[4] ?? 1)];
}
const over = (top, under) => [0, 1, 2].map((i) => top[i] * top[3] + under[i] * (1 - top[3]));
function contrast(one, other) {
  const [dark, light] = [one, other].map((parts) => {
    const [red, green, blue] = parts.map((part) =>
      part / 255 <= 0.04045 ? part / 255 / 12.92 : ((part / 255 + 0.055) / 1.055) ** 2.4);
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
  }).sort((a, b) => a - b);
  return (light + 0.05) / (dark + 0.05);
}

function ancestors(element) {
  const found = [];
  for (let each = element; each && each !== page; each = each.parentElement) found.push(each);
  return found;
}
const style = new Map();
const styleOf = (element) => style.get(element) ?? style.set(element, getComputedStyle(element)).get(element);
const rectangles = new Map();
const rectanglesOf = (svg) => rectangles.get(svg) ?? rectangles.set(svg,
  [...svg.querySelectorAll("rect")].map((rect) => ({ rect, box: rect.getBoundingClientRect() }))).get(svg);

// What a text stands on: the nearest opaque background, what is half-transparent above it, and a drawing's rectangles.
function ground(element, box) {
  const layers = [];
  const x = (box.left + box.right) / 2, y = (box.top + box.bottom) / 2;
  const svg = element.closest("svg");
  for (const { rect, box } of svg ? rectanglesOf(svg).toReversed() : []) {
    if (x < box.left || x > box.right || y < box.top || y > box.bottom) continue;
    if (!(rect.compareDocumentPosition(element) & Node.DOCUMENT_POSITION_FOLLOWING)) continue; // painted later
    const [red, green, blue, alpha] = colour(styleOf(rect).fill);
    layers.push([red, green, blue, alpha * styleOf(rect).fillOpacity]);
  }
  for (let each = element; each; each = each.parentElement) layers.push(colour(styleOf(each).backgroundColor));
  return layers.reduceRight((under, top) => over(top, under), [255, 255, 255]);
}
function ink(element) {
  const inSvg = element instanceof SVGElement;
  const [red, green, blue, alpha] = colour(inSvg ? styleOf(element).fill : styleOf(element).color);
  const opacity = ancestors(element).reduce((product, each) => product * styleOf(each).opacity, 1);
  return [red, green, blue, alpha * opacity * (inSvg ? styleOf(element).fillOpacity : 1)];
}

// Go outwards from a text's line: what it may not leave, and what is left of it to be seen.
function seen(element, line, name) {
  let box = line;
  for (const each of ancestors(element)) {
    const { display, overflowX, overflowY, backgroundColor, borderTopWidth, borderBottomWidth } = styleOf(each);
    if (display === "inline" || each instanceof SVGElement) continue;
    const edge = each.getBoundingClientRect();
    const painted = colour(backgroundColor)[3] > 0 || parseFloat(borderTopWidth) > 0 || parseFloat(borderBottomWidth) > 0;
    const open = overflowX === "visible" && overflowY === "visible";
    if (open && painted && !within(box, edge)) faults.add(`outside its box: ${name}`);
    if (open || within(box, edge)) continue;
    const scrolls = [overflowX, overflowY].some((value) => value === "auto" || value === "scroll");
    if (!scrolls || paper) faults.add(`cut off: ${name}`);
    else if (!each.matches(".table, pre")) faults.add(`scrolls: ${name}`);
    box = {
      left: Math.max(box.left, edge.left), top: Math.max(box.top, edge.top),
      right: Math.min(box.right, edge.right), bottom: Math.min(box.bottom, edge.bottom),
    };
    if (box.left >= box.right || box.top >= box.bottom) return null;
  }
  return box;
}

function svgText(element, name) {
  const { x, y: top, width, height: full } = element.getBBox();
  const y = top + 0.08 * full, height = 0.84 * full; // a font's box is taller than its letters
  const matrix = element.getScreenCTM();
  const shape = [[x, y], [x + width, y], [x + width, y + height], [x, y + height]].map(([px, py]) => {
    const point = new DOMPoint(px, py).matrixTransform(matrix);
    return [point.x, point.y];
  });
  const drawing = element.ownerSVGElement.getBoundingClientRect();
  if (!within(bounds(shape), drawing)) faults.add(`outside its box: ${name}`);
  return [shape];
}

window.scrollTo(0, 0);
const things = []; // { element, name, shape, box, text }
const walker = document.createTreeWalker(page, NodeFilter.SHOW_TEXT);
while (walker.nextNode()) {
  const node = walker.currentNode, element = node.parentElement;
  const told = node.data.trim().replace(/\s+/g, " ");
  if (!told || element.closest("svg title, svg desc, style, script")) continue;
  if (!element.checkVisibility({ opacityProperty: true, visibilityProperty: true })) continue;
  const name = `“${told.length > 60 ? told.slice(0, 60) + "…" : told}”`;
  let shapes;
  if (element instanceof SVGElement) shapes = svgText(element, name);
  else {
    const range = document.createRange();
    range.selectNodeContents(node);
    shapes = [...range.getClientRects()].filter((line) => line.width && line.height)
      .map((line) => seen(element, line, name)).filter((line) => line).map(polygon);
  }
  if (!shapes.length) continue;
  if (shapes.length > 5 && told.length < 4 * shapes.length) faults.add(`squeezed: ${name}`);
  const under = ground(element, bounds(shapes[0]));
  const ratio = contrast(over(ink(element), under), under);
  if (ratio < CONTRAST) faults.add(`faint: ${name}, ${ratio.toFixed(1)} : 1`);
  for (const shape of shapes) {
    const box = bounds(shape);
    if (box.left < -SLACK || box.right > width + SLACK) faults.add(`outside the page: ${name}`);
    things.push({ element, name, shape, box, text: true });
  }
}
for (const element of page.querySelectorAll("svg, img, canvas, video, input, textarea, select, button")) {
  const box = element.getBoundingClientRect();
  if (!box.width || !box.height || !element.checkVisibility({ visibilityProperty: true })) continue;
  const name = element.getAttribute("aria-label") || element.getAttribute("alt") || element.id;
  things.push({ element, name: `<${element.localName}> “${name}”`, shape: polygon(box), box, text: false });
}
things.sort((one, other) => one.box.top - other.box.top);
things.forEach((one, i) => {
  for (let j = i + 1; j < things.length && things[j].box.top < one.box.bottom; j++) {
    const other = things[j];
    if (one.element === other.element || one.box.right <= other.box.left || other.box.right <= one.box.left) continue;
    if (!(one.text && other.text) && (one.element.contains(other.element) || other.element.contains(one.element))) continue;
    if (overlap(one.shape, other.shape)) faults.add(`overlap: ${one.name} and ${other.name}`);
  }
});
const whole = document.documentElement.scrollWidth;
if (whole > width + SLACK) faults.add(`too wide: the page takes ${whole} pixels of ${width}`);
return [...faults];
