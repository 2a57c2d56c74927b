// On a phone the pages of the account are one line, in which the current one may be out of sight.
document
  .querySelector(".account-nav [aria-current]")
  ?.scrollIntoView({ block: "nearest", inline: "center", behavior: "instant" });
