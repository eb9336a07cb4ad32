import "./styles/tokens.css";
import "./styles/pages.css";
import "./styles/pages-lists.css";
import "./styles/pages-tables.css";
import "./styles/pages-controls.css";
import "./styles/pages-layers.css";
import "./styles/pages-subjects.css";
import "./styles/pages-reports.css";

import { action, role } from "./pages/action";
import { category } from "./pages/category";
import { bindCopy } from "./pages/copy";
import { decide } from "./pages/decide";
import { bindDialogs } from "./pages/dialog";
import { findAll } from "./pages/dom";
import { exportDialog } from "./pages/export";
import { filters } from "./pages/filters";
import { form } from "./pages/form";
import { grid } from "./pages/grid";
import { importDialog } from "./pages/import";
import { job, poll } from "./pages/job";
import { bindMenus, narrow } from "./pages/menu";
import { bindPictures } from "./pages/pictures";
import { place } from "./pages/place";
import { bindTyped } from "./pages/typed";
import { reference } from "./pages/reference";
import { tabs } from "./pages/tabs";
import { theme, themeChoice } from "./pages/theme";
import { localTimes } from "./pages/time";
import { sayKept } from "./pages/toast";
import { token } from "./pages/token";
import { upload } from "./pages/upload";

/** Brings one element of a server-rendered page to life; `bind` does so for new parts. */
type Controller = (root: HTMLElement, bind: (part: ParentNode) => void) => void;

/** What `data-controller="NAME"` in a template may say. */
const CONTROLLERS: Readonly<Record<string, Controller>> = {
  action,
  category,
  decide,
  export: exportDialog,
  filters,
  form,
  grid,
  import: importDialog,
  job,
  narrow,
  place,
  poll,
  reference,
  role,
  tabs,
  theme,
  "theme-choice": themeChoice,
  token,
  upload,
};

function bind(part: ParentNode): void {
  localTimes(part);
  for (const element of findAll(part, "[data-controller]")) {
    const name = element.dataset["controller"] ?? "";
    const controller = CONTROLLERS[name];
    if (controller === undefined) throw new Error(`There is no controller called ${name}.`);
    controller(element, bind);
  }
}

bindDialogs();
bindCopy();
bindMenus();
bindPictures();
bindTyped();
bind(document);
sayKept();
