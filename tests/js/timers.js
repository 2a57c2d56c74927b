// Timeouts that pass when a test says so.
import { mock } from "node:test";

/** Node 18, which Debian 12 has, takes names alone, and loses a timer where none is cleared. */
export function mockTimeouts() {
  if (!process.version.startsWith("v18.")) {
    mock.timers.enable({ apis: ["setTimeout"] });
    return;
  }
  mock.timers.enable(["setTimeout"]);
  const { clearTimeout } = globalThis;
  globalThis.clearTimeout = (timer) => { if (timer) clearTimeout(timer); };
}
