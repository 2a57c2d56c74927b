// Privacy & data: asks before deleting.
import { confirmForms } from "./changes.js";

confirmForms();
