// Pages whose only script is the question before deleting.
import { confirmForms } from "./changes.js";

confirmForms();
