/** A share from 0 to 1 as the server writes it, too: never certain. */
export function percent(share) {
  if (share >= 0.995) return "> 99 %";
  if (share > 0 && share < 0.005) return "< 1 %";
  return `${Math.round(share * 100)} %`;
}
