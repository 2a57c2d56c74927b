const language = document.documentElement.lang;
const whole = new Intl.NumberFormat(language, { style: "percent" });
/** German sets a space, which never breaks, between a sign and its number. */
const space = language === "de" ? "\u00a0" : "";

/** A share from 0 to 1 as the server writes it, too: never certain. */
export function percent(share) {
  if (share >= 0.995) return `>${space}${whole.format(0.99)}`;
  if (share > 0 && share < 0.005) return `<${space}${whole.format(0.01)}`;
  return whole.format(Math.floor(share * 100 + 0.5) / 100);
}
