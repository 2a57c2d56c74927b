// The trash: nothing is done to the chosen ones before one is chosen.
import { selectable } from "./selection.js";

selectable(document.getElementById("selection"));
