// Boxes over a photo, drawn with mouse or finger or by keyboard. The form sends them in fractions of the picture; the
// server covers them in a new copy, the preview only shows how.

const STEP = 0.01;
const LEAST = 0.01;
const FRESH = { x: 0.4, y: 0.4, width: 0.2, height: 0.2 };
const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
const CELLS = 4; // as media/redactions.py

export function coverBoxes(form) {
  const stage = form.querySelector("[data-stage]");
  const picture = stage.querySelector("img");
  const preview = form.querySelector("[data-preview]");
  const button = (name) => form.querySelector(`[data-${name}]`);
  const boxes = []; // {x, y, width, height, element}, in the order in which they were added
  let chosen = null;

  const changed = () => {
    boxes.forEach((box, at) => place(box, at + 1));
    form.elements.boxes.value = JSON.stringify(boxes.map(({ x, y, width, height }) => ({ x, y, width, height })));
    button("save").disabled = button("show-covered").disabled = boxes.length === 0;
    button("remove").disabled = chosen === null;
    button("count").textContent = boxes.length ? `${boxes.length} 个遮盖框 box(es)` : "";
    if (!preview.hidden) drawCovered(preview, picture, boxes, form.elements.method.value);
  };
  const choose = (box) => {
    chosen = box;
    boxes.forEach((one) => one.element.classList.toggle("chosen", one === chosen));
    button("remove").disabled = chosen === null;
  };
  const add = (from) => {
    const box = { ...from, element: document.createElement("div") };
    [box.element.role, box.element.tabIndex] = ["button", 0];
    box.element.className = "box";
    box.element.addEventListener("focus", () => choose(box));
    stage.append(box.element);
    boxes.push(box);
    choose(box);
    changed();
    return box;
  };
  const remove = (box) => {
    const at = boxes.indexOf(box);
    boxes.splice(at, 1);
    box.element.remove();
    choose(boxes[Math.min(at, boxes.length - 1)] ?? null);
    (chosen?.element ?? stage).focus();
    changed();
  };
  const addFresh = () => {
    const shift = (boxes.length % 8) * 0.04; // so that none hides another
    add({ ...FRESH, x: rounded(FRESH.x + shift), y: rounded(FRESH.y + shift) }).element.focus();
  };

  stage.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const box = boxes.find((one) => one.element === document.activeElement);
    const arrow = ARROWS[event.key];
    if (event.key === "Enter") addFresh();
    else if (box && arrow) (event.shiftKey ? size : move)(box, arrow[0] * STEP, arrow[1] * STEP);
    else if (box && (event.key === "Delete" || event.key === "Backspace")) return event.preventDefault(), remove(box);
    else return;
    event.preventDefault();
    event.stopPropagation();
    changed();
  });

  stage.addEventListener("pointerdown", (event) => {
    if (event.button !== 0) return;
    event.preventDefault();
    const start = pointIn(picture, event);
    const held = boxes.find((one) => one.element === event.target);
    const box = held ?? add({ ...start, width: 0, height: 0 });
    const from = { x: box.x, y: box.y };
    box.element.focus();
    stage.setPointerCapture(event.pointerId);
    const follow = (moved) => {
      const now = pointIn(picture, moved);
      if (held) moveTo(box, from.x + now.x - start.x, from.y + now.y - start.y);
      else span(box, start, now);
      changed();
    };
    const letGo = () => {
      stage.removeEventListener("pointermove", follow);
      if (box.width < LEAST || box.height < LEAST) remove(box); // a click, no box
    };
    stage.addEventListener("pointermove", follow);
    for (const end of ["pointerup", "pointercancel"]) stage.addEventListener(end, letGo, { once: true });
  });

  button("add").addEventListener("click", addFresh);
  button("remove").addEventListener("click", () => chosen && remove(chosen));
  form.addEventListener("change", ({ target }) => target.name === "method" && changed());
  button("show-covered").addEventListener("click", async ({ currentTarget }) => {
    await picture.decode();
    preview.hidden = !preview.hidden;
    currentTarget.setAttribute("aria-pressed", String(!preview.hidden));
    changed();
  });
}

const rounded = (fraction) => Math.round(fraction * 1e4) / 1e4;
const within = (value, most) => rounded(Math.min(Math.max(value, 0), most));

function moveTo(box, x, y) {
  box.x = within(x, 1 - box.width);
  box.y = within(y, 1 - box.height);
}

function move(box, right, down) {
  moveTo(box, box.x + right, box.y + down);
}

function size(box, wider, higher) {
  box.width = Math.max(LEAST, within(box.width + wider, 1 - box.x));
  box.height = Math.max(LEAST, within(box.height + higher, 1 - box.y));
}

function span(box, one, other) {
  for (const [start, extent] of [["x", "width"], ["y", "height"]]) {
    box[start] = Math.min(one[start], other[start]);
    box[extent] = rounded(Math.abs(one[start] - other[start]));
  }
}

// Where the pointer is, in fractions of the picture.
function pointIn(picture, event) {
  const area = picture.getBoundingClientRect();
  return { x: within((event.clientX - area.left) / area.width, 1), y: within((event.clientY - area.top) / area.height, 1) };
}

function place(box, number) {
  const percent = (fraction) => `${fraction * 100}%`;
  const { style } = box.element;
  [style.left, style.top, style.width, style.height] = [box.x, box.y, box.width, box.height].map(percent);
  box.element.setAttribute("aria-label", `遮盖框 Box ${number}: ${[box.x, box.y, box.width, box.height]
    .map((part) => Math.round(part * 100)).join(", ")} %`);
}

function drawCovered(canvas, picture, boxes, method) {
  [canvas.width, canvas.height] = [picture.naturalWidth, picture.naturalHeight];
  const context = canvas.getContext("2d");
  context.drawImage(picture, 0, 0);
  for (const box of boxes) {
    const area = [box.x * canvas.width, box.y * canvas.height, box.width * canvas.width, box.height * canvas.height];
    if (method === "black") context.fillRect(...area);
    else pixelate(context, canvas, area);
  }
}

function pixelate(context, canvas, [x, y, width, height]) {
  const cell = Math.max(width, height) / CELLS;
  const few = document.createElement("canvas");
  [few.width, few.height] = [Math.ceil(width / cell), Math.ceil(height / cell)];
  few.getContext("2d").drawImage(canvas, x, y, width, height, 0, 0, few.width, few.height);
  context.imageSmoothingEnabled = false;
  context.drawImage(few, 0, 0, few.width, few.height, x, y, width, height);
}
