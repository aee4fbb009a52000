// Opens the device of this browser and shows its screens; without one, the way to enrol.

import { html, render } from "./parts/html.js";

render(html`<p>门前</p>`, /** @type {HTMLElement} */ (document.getElementById("app")));
